'use strict';
// Loaded into every Node program of the lab (`--require`). A port that the program writes is only a name here: what
// listens gets a free port of loopback and tells it to the lab, and what connects is led to the port that was told.
//
//   CORSLINT_LAB_PORTS  folder; file `4000` holds the port which stands for 4000
//   CORSLINT_LAB_HOSTS  {"api.example.com:443": 4000}, as JSON

const fs = require('fs');
const net = require('net');
const path = require('path');

const folder = process.env.CORSLINT_LAB_PORTS;
const hosts = JSON.parse(process.env.CORSLINT_LAB_HOSTS || '{}');
const LOOPBACK = new Set(['localhost', '127.0.0.1', '0.0.0.0', '::1', '[::1]', '::', '']);

function tell(written, real) {
  const file = path.join(folder, String(written));
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, String(real));
  fs.renameSync(draft, file);
}

function told(host, port) {
  const written = hosts[`${host}:${port}`] ?? (LOOPBACK.has(host) ? port : undefined);
  if (written === undefined) return undefined;
  try {
    return Number(fs.readFileSync(path.join(folder, String(written)), 'utf8'));
  } catch {
    return undefined;
  }
}

const isPort = (value) => (typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))) && Number(value) > 0;

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  const first = given[0];
  const options = first !== null && typeof first === 'object' ? first : { port: first };
  if (!isPort(options.port) || options.path !== undefined || options.fd !== undefined) return listen.apply(this, given);
  const done = given.find((argument) => typeof argument === 'function');
  this.once('listening', () => {
    const at = this.address(); // null: closed again, by a program that only asked whether the port is free
    if (at !== null) tell(Number(options.port), at.port);
  });
  return listen.call(this, { ...options, port: 0, host: '127.0.0.1', ipv6Only: undefined }, done);
};

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  // `net.connect()` hands over its arguments in one list, normalized: [options, callback].
  const list = Array.isArray(given[0]) ? given[0] : given;
  const first = list[0];
  const options = first !== null && typeof first === 'object' ? first : { port: first, host: typeof list[1] === 'string' ? list[1] : undefined };
  if (!isPort(options.port) || options.path) return connect.apply(this, given);
  const real = told(options.host ?? 'localhost', Number(options.port));
  if (real === undefined) return connect.apply(this, given);
  const done = list.find((argument) => typeof argument === 'function');
  return connect.call(this, { ...options, port: real, host: '127.0.0.1', lookup: undefined }, done);
};
