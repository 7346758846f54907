'use strict';
// Runs one snippet in the directory it stands in. Every server that the snippet opens gets a free loopback port instead of the one it asks
// for, so snippets can be written as real programs and many of them can run at once. What happens is told on stdout, one JSON line each.
//
//   node serve.cjs SNIPPET

const net = require('net');
const path = require('path');
const { pathToFileURL } = require('url');

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const listen = net.Server.prototype.listen;
let serving = false;

net.Server.prototype.listen = function (...given) {
  const done = given.find((argument) => typeof argument === 'function');
  this.once('listening', () => {
    serving = true;
    say({ event: 'listening', port: this.address().port });
  });
  return listen.call(this, { port: 0, host: '127.0.0.1' }, done);
};

function raised(error) {
  say({ event: serving ? 'crashed' : 'raised', error: `${error.name}: ${String(error.message).split('\n')[0]}` });
  process.exit(1);
}

process.on('uncaughtException', raised);
process.on('unhandledRejection', raised);
console.log = console.info = console.warn = () => {};
console.error = (...words) => process.stderr.write(words.join(' ') + '\n');

import(pathToFileURL(path.resolve(process.argv[2])).href).catch(raised);
