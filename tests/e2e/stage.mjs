// What a test acts on: people with browsers of their own, and the few things everybody does.
import assert from 'node:assert/strict';

const password = 'correct horse battery';
let people = 0;

/** "10 s" unless told otherwise: a condition is waited for, time never is. */
export async function until(what, condition, limitMs = 10_000) {
  const end = Date.now() + limitMs;
  let last;
  for (;;) {
    try {
      last = await condition();
      if (last) return last;
    } catch (problem) {
      last = problem;
    }
    if (Date.now() > end) throw new Error(`never came true: ${what} (last: ${last})`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export class Stage {
  pages = [];
  errors = [];
  /** While the server is down, failed loads are what one expects to see. */
  outage = false;
  #contexts = [];

  constructor(server, browser) {
    this.server = server;
    this.browser = browser;
  }

  async newPage(options = {}) {
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      reducedMotion: 'reduce',
      ...options,
    });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (problem) => this.errors.push(`page error: ${problem.stack}`));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const text = message.text();
      // Chromium reports every refused request; the tests look at what the page makes of it.
      if (
        /Failed to load resource|WebSocket connection|ERR_/.test(text) &&
        !/Content Security/.test(text)
      )
        return;
      this.errors.push(`console: ${text}`);
    });
    this.pages.push(page);
    return page;
  }

  checkNoErrors() {
    assert.deepEqual(this.errors, []);
  }

  async close() {
    for (const context of this.#contexts) await context.close().catch(() => undefined);
  }

  /** A new account, made over HTTP: the sign-up page has a test of its own. */
  async account(name) {
    const username = `${name.toLowerCase()}${Date.now().toString(36)}${people++}`;
    const answer = await this.call('POST', '/auth/signup', null, {
      username,
      password,
      full_name: name,
    });
    const token =
      answer.access_token ??
      (await until(
        'the account is active',
        async () =>
          (await this.call('POST', '/auth/login', null, { login: username, password }))
            .access_token,
      ));
    const user = await this.call('GET', '/users/me', token);
    return { username, password, full_name: name, token, id: user.id };
  }

  async call(method, path, token, body) {
    const answer = await fetch(`${this.server.url}/api/v1${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** As an operator does it at the command line, while the server runs. */
  promote(person, role) {
    this.server.command('user', 'promote', person.username, role);
  }

  send(person, chatId, text, more = {}) {
    return this.call('POST', `/chats/${chatId}/messages`, person.token, {
      text,
      client_id: crypto.randomUUID(),
      ...more,
    });
  }

  async direct(one, other) {
    return this.call('POST', '/chats', one.token, { kind: 'direct', member_ids: [other.id] });
  }

  async group(owner, title, others) {
    return this.call('POST', '/chats', owner.token, {
      kind: 'group',
      title,
      member_ids: others.map((person) => person.id),
    });
  }

  /** A browser in which this person is signed in, at a path. */
  async browse(person, path = '/chats', options = {}) {
    const page = await this.newPage(options);
    await page.goto(this.server.url + path);
    await signIn(page, person);
    return page;
  }
}

export async function signIn(page, person) {
  await page.getByLabel('User name, e-mail or phone').fill(person.username);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.locator('.shell').waitFor();
}

/** Newest Node has it as a global everywhere; older ones only here. */
globalThis.crypto ??= (await import('node:crypto')).webcrypto;

export const composer = (page) => page.getByRole('textbox', { name: /^Message/ });
export const chatLink = (page, name) => page.getByRole('link', { name: new RegExp(name) });
export const bubble = (page, text) =>
  page.locator('.row .message').filter({ has: page.locator('.bubble .text', { hasText: text }) });

export async function write(page, text) {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}

/** Texts of the messages that are drawn, from top to bottom. */
export const texts = (page) => page.locator('.row .bubble > .text').allInnerTexts();
