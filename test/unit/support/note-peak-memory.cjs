// Loaded into every process of a command (NODE_OPTIONS=--require): leaves its peak of resident memory, in KiB, and its processor time, in milliseconds, in a
// file of PEAK_MEMORY_FOLDER named by its process id. The system keeps the peak, so noting it now and then misses only what the last moments before a kill added.
const { openSync, writeSync } = require('node:fs');
const path = require('node:path');

const file = openSync(path.join(process.env.PEAK_MEMORY_FOLDER, String(process.pid)), 'w');
// One write of one length over the last: a kill never leaves half a number.
const note = () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeSync(file, `${String(maxRSS).padStart(12)} ${String(Math.round((userCPUTime + systemCPUTime) / 1000)).padStart(12)}`, 0);
};
note();
setInterval(note, 10).unref();
process.on('exit', note);
