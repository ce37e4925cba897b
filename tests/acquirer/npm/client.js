// A client of npm's iso_8583: reads requests as JSON lines, each an object of elements by number, asks the host, and
// writes the elements of each answer. Arguments: the folder with node_modules, the host's port.
const [folder, port] = process.argv.slice(2);
const ISO8583 = require(require('path').join(folder, 'node_modules', 'iso_8583'));
const socket = require('net').connect(Number(port), '127.0.0.1');
const lines = require('readline').createInterface({ input: process.stdin });
const waiting = [];
let received = Buffer.alloc(0);

lines.on('line', (line) => waiting.push(line) === 1 && ask());
lines.on('close', () => waiting.length === 0 && socket.end());

function ask() {
  const packed = new ISO8583(JSON.parse(waiting[0])).getBufferMessage();
  if (!Buffer.isBuffer(packed)) {
    console.log(JSON.stringify(packed));
    process.exit(1);
  }
  socket.write(packed);
}

socket.on('data', (data) => {
  received = Buffer.concat([received, data]);
  if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
  const answer = received.subarray(0, 2 + received.readUInt16BE(0));
  received = received.subarray(answer.length);
  console.log(JSON.stringify(new ISO8583().getIsoJSON(answer)));
  waiting.shift();
  if (waiting.length > 0) ask();
  else socket.end();
});
