// What oidc-provider keeps, in memory and beyond one instance of it: its keys change by making another.

const kept = new Map();

export class Memory {
  #model;

  constructor(model) {
    this.#model = model;
  }

  async upsert(id, payload) {
    kept.set(this.#key(id), payload);
  }

  async find(id) {
    return kept.get(this.#key(id));
  }

  async findByUid(uid) {
    return this.#all().find((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return this.#all().find((payload) => payload.userCode === userCode);
  }

  async consume(id) {
    kept.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    kept.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of kept) {
      if (payload.grantId === grantId) kept.delete(key);
    }
  }

  #key(id) {
    return `${this.#model}:${id}`;
  }

  #all() {
    return [...kept].filter(([key]) => key.startsWith(`${this.#model}:`)).map(([, payload]) => payload);
  }
}
