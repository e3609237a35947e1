// Typed listeners. A listener that throws does not keep the others from hearing.

export type Off = () => void;

export class Emitter<Events> {
  #listeners = new Map<keyof Events, Set<(data: never) => void>>();

  on<N extends keyof Events>(name: N, listener: (data: Events[N]) => void): Off {
    let set = this.#listeners.get(name);
    if (!set) this.#listeners.set(name, (set = new Set()));
    set.add(listener as (data: never) => void);
    return () => void set.delete(listener as (data: never) => void);
  }

  emit<N extends keyof Events>(name: N, data: Events[N]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (data: Events[N]) => void)(data);
      } catch (problem) {
        // Reported as an uncaught error of the page, where the app's own handler sees it.
        queueMicrotask(() => {
          throw problem;
        });
      }
    }
  }
}
