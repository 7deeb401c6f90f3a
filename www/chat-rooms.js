/**
 * The rooms that one has joined, any number of them, in the order in which they were joined. So many as were visited last
 * have a connection; the others are listed, and come to life when someone opens them. It touches no DOM.
 */
export class Rooms {
  all = [];
  #most;
  #peeks = 0;
  #visited = []; // names, the last one first

  /** At most `most` connections; `visited` are the names of rooms, the one that was visited last first. */
  constructor({ most, visited = [] }) {
    this.#most = most;
    this.#visited = visited;
  }

  get visited() { return [...this.#visited]; }
  get names() { return this.all.map(({ name }) => name); }
  get unread() { return this.all.reduce((sum, { unread }) => sum + unread, 0); }

  find(name) {
    return this.all.find(room => room.name === name);
  }

  add(room) {
    this.all.push(room);
    return room;
  }

  /** In the order of these names, and what is not among them last. */
  sort(names) {
    const places = new Map(names.map((name, index) => [name, index]));
    this.all.sort((a, b) => (places.get(a.name) ?? Infinity) - (places.get(b.name) ?? Infinity) || 0);
  }

  remove(room) {
    room.client.close();
    this.all = this.all.filter(each => each !== room);
    this.#visited = this.#visited.filter(name => name !== room.name);
  }

  /** Someone looks at `room`: it gets a connection, and if that is one too many, another loses its. */
  visit(room) {
    this.#visited = [room.name, ...this.#visited.filter(name => name !== room.name)];
    this.connect();
    if (room.state === 'refused' && room.facts.code === undefined) room.client.open(); // for no reason that is known
  }

  /** What waits to be sent keeps a room's connection. */
  connect() {
    const places = new Map(this.#visited.map((name, index) => [name, index]));
    const byVisit = this.all.toSorted((a, b) => (places.get(a.name) ?? Infinity) - (places.get(b.name) ?? Infinity) || 0);
    byVisit.forEach((room, place) => {
      if (place < this.#most || room.pending.length > 0) { if (room.state === 'closed') room.client.open(); }
      else if (room.state !== 'closed') room.client.close();
    });
  }

  close() {
    for (const room of this.all) room.client.close();
    this.all = [];
  }

  get asleep() { return this.all.filter(({ state }) => state === 'closed'); }

  /** Asks how much is new in one of the rooms without a connection, each time in another. */
  async peek() {
    const { asleep } = this;
    await asleep[this.#peeks++ % asleep.length]?.peek();
  }

  /** The room `step` places further down the list. */
  beside(room, step) {
    return this.all.at((this.all.indexOf(room) + step) % this.all.length);
  }
}
