// A server that lives inside the test: it answers fetch and sockets from memory, keeps a log with
// positions, and can be told to fail in the ways real ones do. With FakeClock no test ever waits.

/** Lets everything that is ready to run do so. */
export async function settle() {
  for (let i = 0; i < 60; i++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 60; i++) await Promise.resolve();
}

export class FakeClock {
  now = 1_760_000_000_000;
  skew = 0;
  timers = new Set();
  wall() {
    return this.now + this.skew;
  }
  steady() {
    return this.now - 1_760_000_000_000;
  }
  random() {
    return 0.5;
  }
  after(ms, fn) {
    const timer = { at: this.now + ms, fn };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }
  /** Moves time on, timer by timer, letting the rest of the program run in between. */
  async advance(ms) {
    const end = this.now + ms;
    await settle();
    for (;;) {
      const next = [...this.timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.now = Math.max(this.now, next.at);
      this.timers.delete(next);
      next.fn();
      await settle();
    }
    this.now = end;
  }
}

class FakeSocket {
  readyState = 0;
  constructor(server, url, protocols) {
    this.server = server;
    this.pos = new URL(url).searchParams.get('pos');
    this.token = protocols[1].slice('bearer.'.length);
    queueMicrotask(() => server.socketOpened(this));
  }
  send(text) {
    this.server.socketFrame(this, JSON.parse(text));
  }
  close(code = 1005) {
    this.finish(code, '');
  }
  /** Ends it from the server's side. */
  finish(code, reason = '') {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.server.sockets.delete(this);
    queueMicrotask(() => this.onclose?.({ code, reason }));
  }
  give(frame) {
    if (this.readyState === 1) this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

export class FakeServer {
  up = true;
  socketsWork = true;
  sseWorks = true;
  answersOps = true;
  losesAnswers = 0; // how many sends are taken but not answered
  refuses = null; // a problem for the next send
  log = []; // events with pos
  messages = [];
  requests = [];
  sockets = new Set();
  opened = []; // positions that sockets came with
  renewals = 0;
  sessionOver = false;
  tokens = new Set(['token-0']);
  user = { id: 'u-1', username: 'ada' }; // whom a sign-in and the cookie are of

  fetch = async (url, init = {}) => {
    const { pathname, searchParams } = new URL(url, 'http://fake');
    const path = pathname.replace('/api/v1', '');
    this.requests.push(`${init.method} ${path}`);
    await Promise.resolve();
    if (!this.up) throw new TypeError('fetch failed');
    const body = init.body ? JSON.parse(init.body) : undefined;
    const handler = this[`${init.method} ${path.replace(/c-\d+/, ':id')}`];
    if (!handler) return answer(404, { code: 'not_found', title: 'Not found' });
    const open = path.startsWith('/auth/');
    const token = init.headers.authorization?.slice(7);
    if (!open && !this.tokens.has(token)) return answer(401, { code: 'invalid_token' });
    return handler.call(this, { body, query: searchParams, init, path });
  };
  makeSocket = (url, protocols) => new FakeSocket(this, url.replace(/^ws/, 'http'), protocols);

  'POST /auth/login'() {
    return answer(200, this.tokenAnswer());
  }
  'POST /auth/refresh'({ init }) {
    this.renewals++;
    this.refreshHeader = init.headers['x-parley-cookie'];
    if (this.sessionOver) return answer(401, { code: 'invalid_refresh_token' });
    return answer(200, this.tokenAnswer());
  }
  'GET /users/me'() {
    return answer(200, { id: 'u-1', username: 'ada' });
  }
  'POST /chats/:id/messages'({ body, path }) {
    return this.store(path.split('/')[2], body, (status, value) => answer(status, value));
  }
  'GET /stream'({ query, init }) {
    if (!this.sseWorks) return answer(502, {});
    const server = this;
    const encoder = new TextEncoder();
    return new Response(
      new ReadableStream({
        start(controller) {
          const give = (event) =>
            controller.enqueue(
              encoder.encode(
                `event: ${event.event}\n${event.pos ? `id: ${event.pos}\n` : ''}` +
                  `data: ${JSON.stringify(event.data)}\n\n`,
              ),
            );
          server.stream = { give, end: () => controller.close() };
          init.signal.addEventListener('abort', () => {
            try {
              controller.error(new Error('aborted'));
            } catch {
              // closed already
            }
          });
          server.begin(query.get('pos'), give);
        },
      }),
      { status: 200, headers: { 'content-type': 'text/event-stream' } },
    );
  }
  'GET /updates'({ query, init }) {
    const pos = query.get('pos');
    const items = pos === null ? [] : this.log.filter((event) => Number(event.pos) > Number(pos));
    if (items.length || pos === null || query.get('timeout') === '1')
      return answer(200, { items, pos: String(this.log.length) });
    return new Promise((resolve, reject) => {
      this.held = () => resolve(this['GET /updates']({ query, init }));
      init.signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  }

  tokenAnswer() {
    const token = `token-${this.tokens.size}`;
    this.tokens.add(token);
    return {
      access_token: token,
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: `refresh-${this.tokens.size}`,
      user: this.user,
    };
  }

  begin(pos, give) {
    const from = pos === null ? this.log.length : Number(pos);
    give({ event: 'ready', pos: String(from), data: { user_id: 'u-1', heartbeat: 25 } });
    for (const event of this.log.slice(from)) give(event);
  }
  socketOpened(socket) {
    if (!this.up || !this.socketsWork) return socket.finish(1006);
    socket.readyState = 1;
    this.sockets.add(socket);
    this.opened.push(socket.pos);
    socket.onopen?.();
    if (!this.tokens.has(socket.token)) return socket.finish(4001);
    this.begin(socket.pos, (frame) => socket.give(frame));
  }
  socketFrame(socket, frame) {
    if (!this.answersOps) return;
    if (frame.op === 'chat.send') {
      const { chat_id, ...body } = frame.data;
      this.store(chat_id, body, (status, value) =>
        socket.give(
          status < 300
            ? { id: frame.id, data: value }
            : { id: frame.id, error: { status, ...value } },
        ),
      );
    } else socket.give({ id: frame.id, data: {} });
  }
  store(chat_id, body, reply) {
    if (this.refuses) {
      const { status, ...problem } = this.refuses;
      this.refuses = null;
      return reply(status, problem);
    }
    let message = this.messages.find((one) => one.client_id === body.client_id);
    if (!message) {
      message = {
        id: `m-${this.messages.length}`,
        chat_id,
        seq: this.messages.length + 1,
        ...body,
      };
      this.messages.push(message);
      if (!this.losesAnswers) this.emit('message.sent', message);
      else
        this.log.push({ event: 'message.sent', pos: String(this.log.length + 1), data: message });
    }
    if (this.losesAnswers > 0) {
      this.losesAnswers--;
      return undefined;
    }
    return reply(201, message);
  }
  emit(event, data) {
    const entry = { event, pos: String(this.log.length + 1), data };
    this.log.push(entry);
    for (const socket of this.sockets) socket.give(entry);
    this.stream?.give(entry);
    this.held?.();
  }
  /** As a kill and a later start: sockets die, the log stays. */
  kill() {
    this.up = false;
    for (const socket of [...this.sockets]) socket.finish(1006);
  }
}

function answer(status, body) {
  return new Response(status === 204 ? null : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  });
}
