// A person's browser over plain HTTP: cookies, redirects one by one, forms by their fields. It stops at addresses that
// are an app's own and gives them to the test, as a listener there would.

import assert from 'node:assert/strict';

const MOST_HOPS = 15;

export class Browser {
  #cookies = new Map();

  /** `home` is the origin it may ask; any other address is where a way ends. */
  constructor(home) {
    this.home = home;
  }

  /** Types an address. */
  open(address) {
    return this.#travel('GET', new URL(address, this.home));
  }

  /** Fills in the open page's form that has these fields, and the button where one is named, and sends it. */
  submit(fields, button) {
    const names = Object.keys(fields);
    const form = this.page.forms.find(
      ({ values, buttons }) =>
        names.every((name) => values.has(name)) && (!button || buttons.some((one) => one.text === button)),
    );
    assert.ok(form, `no form with ${[...names, button ?? '']} at ${this.page.url}: ${this.page.text}`);
    const { action, method, values, buttons } = form;
    names.forEach((name) => values.set(name, fields[name]));
    const pressed = buttons.find((one) => one.text === button);
    if (pressed?.name) values.set(pressed.name, pressed.value);
    const body = new URLSearchParams([...values]);
    if (method === 'GET') return this.#travel('GET', new URL(`?${body}`, action));
    return this.#travel('POST', action, body);
  }

  /** Follows a link by its text. */
  click(text) {
    const link = this.page.links.find((one) => one.text === text);
    assert.ok(link, `no link ${text}: ${this.page.links.map((one) => one.text)} at ${this.page.url}`);
    return this.#travel('GET', link.url);
  }

  /** Gives the page, or `{ left, body }` where the way leads to somebody else's address. */
  async #travel(method, url, body) {
    let from = this.page?.url;
    for (let hop = 0; hop < MOST_HOPS; hop += 1) {
      if (url.origin !== this.home) return { left: url, body: method === 'POST' ? body : undefined };
      const headers = { cookie: this.#cookieHeader(), 'user-agent': 'a browser of the tests' };
      if (method === 'POST') {
        headers['content-type'] = 'application/x-www-form-urlencoded';
        headers.origin = from?.origin ?? 'null';
        headers['sec-fetch-site'] = from?.origin === url.origin ? 'same-origin' : 'cross-site';
      }
      const answer = await fetch(url, { method, headers, body: body?.toString(), redirect: 'manual' });
      this.#keep(answer.headers.getSetCookie());
      const location = answer.headers.get('location');
      if (answer.status >= 300 && answer.status < 400 && location) {
        await answer.arrayBuffer();
        from = url;
        url = new URL(location, url);
        // Only 307 and 308 keep the method (RFC 9110 15.4).
        if (answer.status < 307) [method, body] = ['GET', undefined];
        continue;
      }
      this.page = new Page(url, answer.status, await answer.text());
      return this.page;
    }
    throw new Error(`more than ${MOST_HOPS} redirects, the last to ${url}`);
  }

  #keep(cookies) {
    for (const cookie of cookies) {
      const [pair, ...attributes] = cookie.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      const isGone = attributes.some((one) => one.trim().toLowerCase() === 'max-age=0');
      if (isGone) this.#cookies.delete(name);
      else this.#cookies.set(name, pair.slice(pair.indexOf('=') + 1));
    }
  }

  #cookieHeader() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

/** A page: just enough of HTML for pages that we write. */
class Page {
  constructor(url, status, html) {
    Object.assign(this, { url, status, html });
  }

  get text() {
    return unescape(this.html.replace(/<(script|style)[\s\S]*?<\/\1>/g, '').replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
  }

  get forms() {
    return [...this.html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag, inner]) => {
      const values = new Map();
      for (const [, attributes] of inner.matchAll(/<input([^>]*)>/g)) {
        const { name, value = '', type } = attributesOf(attributes);
        if (name && type !== 'submit') values.set(name, value);
      }
      const buttons = [...inner.matchAll(/<button([^>]*)>([\s\S]*?)<\/button>/g)].map(([, attributes, text]) => ({
        ...attributesOf(attributes),
        text: unescape(text.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim(),
      }));
      const { action = '', method = 'get' } = attributesOf(tag);
      return { action: new URL(action, this.url), method: method.toUpperCase(), values, buttons };
    });
  }

  get links() {
    return [...this.html.matchAll(/<a\s([^>]*)>([\s\S]*?)<\/a>/g)].map(([, attributes, text]) => ({
      url: new URL(attributesOf(attributes).href ?? '', this.url),
      text: unescape(text.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim(),
    }));
  }
}

function attributesOf(text) {
  const pairs = [...text.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, unescape(value ?? '')]));
}

function unescape(text) {
  const names = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, decimal, hex, name) => {
    if (name) return names[name] ?? all;
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
