// Prints the processor time, in ms, that loading and activating the bundled extension takes beside an editor that answers at once.
// usage: node activate.cjs EXTENSION.js
const fs = require('node:fs');
const { Module } = require('node:module');

// What every extension host has loaded before.
for (const name of ['child_process', 'crypto', 'fs/promises', 'os', 'path', 'zlib']) require(`node:${name}`);

const extension = process.argv[2];
const anything = new Proxy(function () {}, {
  get: (_, key) => (/path$/i.test(String(key)) ? __dirname : key === 'then' ? undefined : key === Symbol.toPrimitive ? () => '' : key === Symbol.iterator ? function* () {} : anything),
  set: () => true,
  apply: () => anything,
  construct: () => anything,
});
const used = [...fs.readFileSync(extension, 'utf8').matchAll(/\bvscode\d*\.(\w+)/g)].map(([, name]) => name);
const vscode = Object.fromEntries(used.map((name) => [name, anything]));
const load = Module._load;
Module._load = function (name, ...rest) {
  return name === 'vscode' ? vscode : load.call(this, name, ...rest);
};

const before = process.cpuUsage();
require(extension).activate(anything);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1000);
