"""The page: tables first, pictures beneath them, both languages, readable in light and dark; one file, no scripts."""

from __future__ import annotations

from rig.report.scorecard import charts, prices, stability_table, tables
from rig.report.scorecard.markup import both, safe, section
from rig.report.scorecard.model import Scorecard, Statement

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#22272b;--soft:#5b6269;--line:#d5dade;--band:#f4f6f8;--good:#00795a;
--bad:#b3261e;--doubt:#8f5a00;--accent:#0072b2;--mark:#e8f3ee;--s0:#0072b2;--s1:#e69f00;--s2:#8a939b;--s3:#b9c0c6;
--s4:#d55e00;--s5:#cc79a7;--s6:#b3261e;--s7:#7a5ea8;--s8:#2aa583;--s9:#4d5358}
@media(prefers-color-scheme:dark){:root{--paper:#15191c;--ink:#e4e8eb;--soft:#a3acb3;--line:#3a4249;--band:#1e2428;
--good:#4cc9a0;--bad:#ff8a80;--doubt:#f0b45a;--accent:#6bb7e8;--mark:#17302a;--s0:#4a9fd4;--s2:#7b858d;--s3:#565f66;
--s6:#e5736b;--s7:#a48cd0;--s8:#4cc9a0;--s9:#9aa3aa}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 28px 48px;max-width:1180px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",
"DejaVu Sans",sans-serif}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;margin:36px 0 8px}
.z{color:var(--soft);font-weight:400}.facts{color:var(--soft);margin:0 0 18px}
.answer{background:var(--mark);border-left:5px solid var(--good);padding:12px 18px;border-radius:4px;margin:0 0 18px}
.answer p{margin:2px 0;font-size:17px}.answer .no{font-size:15px;color:var(--bad)}
.scroll{overflow-x:auto;margin:10px 0}table{border-collapse:collapse;width:100%;font-size:13px}
caption{text-align:left;font-weight:600;padding:6px 0}
th,td{padding:5px 6px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;
font-variant-numeric:tabular-nums}
thead th{vertical-align:bottom;font-size:12px;line-height:1.3;font-weight:600;border-bottom:2px solid var(--line)}
thead .z{display:block}
th[scope=row],th:first-child{text-align:left;font-weight:600;white-space:nowrap}
tbody tr:nth-child(even){background:var(--band)}
small{display:block;color:var(--soft);font-weight:400;font-size:11.5px;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.doubt{color:var(--doubt)}
.note{color:var(--soft);font-size:13px;margin:6px 0}
.said{display:grid;grid-template-columns:1fr 1fr;gap:0 28px;margin:0;padding:0;list-style:none}
.said li{display:contents}.said p{margin:0;padding:7px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
@media(max-width:760px){.said{grid-template-columns:1fr}}
figure{margin:14px 0;overflow-x:auto}figcaption{font-weight:600;font-size:13px}h3{font-size:15px;margin:16px 0 0}
svg{width:100%;min-width:760px;height:auto;margin:8px 0;display:block}
svg text{font-size:12px;fill:var(--ink)}svg .n{text-anchor:end}svg .h{font-weight:600}svg .m{text-anchor:middle}
svg .m,svg .v,svg .l{fill:var(--soft)}svg .m{font-size:11px}
svg .w{fill:none;stroke:var(--line)}svg .i{fill:none;stroke-width:2}svg .g{stroke:var(--good)}svg .b{stroke:var(--bad)}
svg .d{stroke:var(--doubt)}svg circle.g{fill:var(--good)}svg circle.b{fill:var(--bad)}svg circle.d{fill:var(--doubt)}
svg .r{fill:none;stroke:var(--accent);stroke-width:7;stroke-opacity:.45}svg .p{fill:var(--accent)}
svg .ok{fill:var(--good);fill-opacity:.55}svg .x{fill:none;stroke:var(--bad);stroke-width:2.4}
""" + "".join(f"svg .s{n}{{fill:var(--s{n})}}" for n in range(10))

_QUESTION = ("Which bearer should this terminal use?", "这台终端应当使用哪种承载？")
_NAMES = {
    "measured": ("Measured", "测量"), "stability": ("Stability", "稳定性"),
    "choice": ("If one has a bad day", "若其一受扰"),
    "cost": ("Cost", "费用"), "security": ("Security", "安全"), "portability": ("Portability", "便携性"),
    "limits": ("Not measured, and doubts", "未测量与疑点"),
}  # fmt: skip


def page(card: Scorecard) -> str:
    """The whole page; the same scorecard gives the same bytes."""
    title = f"Which bearer? {card.bench}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{safe(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<header><h1>{both(*_QUESTION)}</h1>{_facts(card)}</header>"
        f"<main>{_answer(card)}{tables.overview(card)}{prices.assumed(card)}{charts.completion(card)}{charts.times(card)}"
        f"{section(('Conclusion', '结论'), _conclusion(card))}"
        f"{section(('Stability', '稳定性'), stability_table.stimuli(card), stability_table.stability(card))}"
        f"{section(('Cost', '费用'), charts.volumes(card), tables.cost(card))}"
        f"{section(('Security', '安全'), tables.security(card))}"
        f"{section(('Portability', '便携性'), charts.reach(card), tables.portability(card))}"
        f"{section(('What took part', '参与设备'), _devices(card))}</main></body></html>\n"
    )


def _facts(card: Scorecard) -> str:
    facts = [f"run {card.run}", f"bench {card.bench}", f"network backend: {card.backend}", f"rig {card.rig}"]
    return f'<p class="facts">{safe(" · ".join(facts))}</p>'


def _answer(card: Scorecard) -> str:
    first = [each for each in card.conclusion if each.about == "recommendation"]
    return f'<div class="answer">{"".join(_answer_line(each) for each in first)}</div>' if first else ""


def _answer_line(said: Statement) -> str:
    tone = "" if said.better else ' class="no"'
    return f'<p{tone}>{safe(said.en)}</p><p{tone} lang="zh">{safe(said.zh)}</p>'


def _conclusion(card: Scorecard) -> str:
    parts = []
    for about, name in _NAMES.items():
        said = [each for each in card.conclusion if each.about == about]
        if said:
            lines = "".join(f'<li><p>{safe(each.en)}</p><p lang="zh">{safe(each.zh)}</p></li>' for each in said)
            parts.append(f'<h3>{both(*name)}</h3><ul class="said">{lines}</ul>')
    return "".join(parts)


def _devices(card: Scorecard) -> str:
    rows = "".join(
        f'<tr><th scope="row">{safe(name)}</th><td>{safe(what)}</td></tr>' for name, what in card.devices.items()
    )
    return f'<div class="scroll"><table class="devices"><tbody>{rows}</tbody></table></div>'
