// Runs in every page of the lab before its own scripts. Notes what becomes of each Socket.IO socket and each fetch().
(() => {
  const UPGRADE_MS = 700; // an upgrade on loopback takes 20 to 50 ms
  const lab = { sockets: [], requests: [] };
  const watched = new WeakSet();

  const words = (error) => {
    if (!(error instanceof Error)) return typeof error === 'string' ? error : JSON.stringify(error);
    const parts = [error.message];
    // Engine.IO says there what the transport met: a status, an event, the text of the response.
    const { description, context } = error;
    if (typeof description === 'number') parts.push(`description ${description}`);
    if (description instanceof Error) parts.push(`description ${description.message}`);
    if (context && context.responseText) parts.push(`response ${context.responseText}`);
    return parts.join('; ');
  };

  const watch = (socket) => {
    if (watched.has(socket)) return socket;
    watched.add(socket);
    const seen = { connected: false, transport: '', events: [], settled: false };
    lab.sockets.push(seen);
    socket.on('connect', () => {
      const engine = socket.io.engine;
      const settle = () => {
        seen.transport = engine.transport.name;
        seen.settled = true;
      };
      seen.connected = true;
      seen.transport = engine.transport.name;
      if (seen.transport === 'websocket') return settle();
      engine.once('upgrade', settle);
      engine.once('upgradeError', (error) => {
        seen.events.push(`upgradeError: ${words(error)}`);
        settle();
      });
      setTimeout(settle, UPGRADE_MS);
    });
    for (const name of ['connect_error', 'connect_timeout', 'error']) {
      socket.on(name, (error) => {
        seen.events.push(`${name}: ${words(error)}`);
        if (!seen.connected) seen.settled = true;
      });
    }
    socket.on('disconnect', (reason) => {
      seen.connected = false;
      seen.settled = true;
      seen.events.push(`disconnect: ${reason}`);
    });
    return socket;
  };

  // The bundles of socket.io-client set a global `io`, whose managers make the sockets.
  let client;
  Object.defineProperty(window, 'io', {
    configurable: true,
    get: () => client,
    set(given) {
      client = given;
      const make = given && given.Manager && given.Manager.prototype.socket;
      if (!make || make.watched) return;
      given.Manager.prototype.socket = function (...args) {
        return watch(make.apply(this, args));
      };
      given.Manager.prototype.socket.watched = true;
    },
  });

  const { fetch } = window;
  window.fetch = (...args) => {
    const seen = { status: null, body: '', settled: false };
    lab.requests.push(seen);
    const answer = fetch(...args);
    answer.then(
      async (response) => {
        const copy = response.clone();
        seen.body = await copy.text().catch(() => '');
        seen.status = response.status || null; // 0: an opaque response
        seen.settled = true;
      },
      () => {
        seen.settled = true;
      },
    );
    return answer;
  };

  lab.settled = () => {
    const all = [...lab.sockets, ...lab.requests];
    return all.length > 0 && all.every((seen) => seen.settled);
  };
  lab.seen = () => ({ sockets: lab.sockets, requests: lab.requests });
  Object.defineProperty(window, '__lab', { value: lab });
})();
