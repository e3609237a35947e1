// An answer on its way may be older than what is heard before it arrives. Such changes are made at
// once, and once more on what the answer brings; so they must be harmless when made twice.
export class Meanwhile {
  #heard: (() => void)[] | undefined;

  /** Something has been asked for. Asked once more while it is on its way: nothing is forgotten. */
  begin(): void {
    this.#heard ??= [];
  }

  do(change: () => void): void {
    this.#heard?.push(change);
    change();
  }

  /** The newest answer is in place, or will not come. */
  end(): void {
    const heard = this.#heard ?? [];
    this.#heard = undefined;
    for (const change of heard) change();
  }
}
