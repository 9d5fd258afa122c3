// Loaded into every process of a command (NODE_OPTIONS=--require): leaves its peak of resident memory, in KiB, in a file of PEAK_MEMORY_FOLDER named by
// its process id. The system keeps the peak, so noting it now and then misses only what the last moments before a kill added.
const { writeFileSync } = require('node:fs');
const path = require('node:path');

const note = () => writeFileSync(path.join(process.env.PEAK_MEMORY_FOLDER, String(process.pid)), String(process.resourceUsage().maxRSS));
setInterval(note, 10).unref();
process.on('exit', note);
