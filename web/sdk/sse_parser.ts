// The text/event-stream format (WHATWG HTML, section 9.2.6), fed in pieces as they arrive.

export interface SseEvent {
  event: string;
  id: string | undefined;
  data: string;
}

export class SseParser {
  #rest = '';
  #event = '';
  #id: string | undefined;
  #data: string[] = [];

  constructor(private readonly onEvent: (event: SseEvent) => void) {}

  feed(piece: string): void {
    const text = this.#rest + piece;
    // A lone CR at the very end may be half of a CR LF: it waits for the next piece.
    const usable = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = usable.split(/\r\n|\n|\r/);
    this.#rest = lines.pop()! + text.slice(usable.length);
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment: the server's sign of life
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
  }

  #dispatch(): void {
    if (this.#data.length > 0)
      this.onEvent({ event: this.#event || 'message', id: this.#id, data: this.#data.join('\n') });
    this.#event = '';
    this.#data = [];
    this.#id = undefined;
  }
}
