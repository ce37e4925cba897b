// How a run is rendered: one file that opens from disk, cases sorted by bearer, failures sorted by what they mean.
import { defineConfig } from "allure";

const variables = JSON.parse(process.env.RIG_REPORT_VARIABLES || "{}");

// What each invariant protects, in the order of the judge.
const invariants = {
  M1: "more than one live authorisation",
  M2: "terminal and host disagree on the money",
  M3: "a reversal was owed and never came",
  M4: "a reversal was late or lost",
  M5: "a reversal does not match its sale",
  M6: "a committed sale was reversed",
  M7: "a late answer was believed",
  M14: "the terminal did not become idle again",
};

export default defineConfig({
  name: process.env.RIG_REPORT_NAME || "Payment terminal run",
  output: process.env.RIG_REPORT_OUTPUT || "./out",
  historyPath: process.env.RIG_REPORT_HISTORY || undefined,
  variables,
  // What pytest says of its own process would push the picture of the case down the page.
  hideLabels: ["framework", "host", "language", "package", "parentSuite", "thread"],
  categories: [
    ...Object.entries(invariants).map(([id, what]) => ({
      name: `Unsafe: ${what} (${id})`,
      matchedStatuses: ["failed"],
      messageRegex: `[\\s\\S]*Unsafe: ${id}: [\\s\\S]*`,
    })),
    { name: "Unsafe", matchedStatuses: ["failed"], messageRegex: "[\\s\\S]*Unsafe: [\\s\\S]*" },
    { name: "Not as required", matchedStatuses: ["failed"], messageRegex: "[\\s\\S]*NotAsRequired: [\\s\\S]*" },
    { name: "Undecided", matchedStatuses: ["broken"], messageRegex: "[\\s\\S]*Undecided: [\\s\\S]*" },
    { name: "Bench fault (not the terminal)", matchedStatuses: ["broken"], messageRegex: "[\\s\\S]*BenchFault: [\\s\\S]*" },
  ],
  plugins: {
    awesome: { options: { singleFile: true, reportLanguage: "en", groupBy: ["bearer", "suite"] } },
  },
});
