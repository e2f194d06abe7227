// A map that can be put back to what it was: what values.ts knows in a block and all that it dominates, and forgets when it leaves them.

export class Scoped<K, V> {
  private readonly entries = new Map<K, V>();
  private readonly before: { key: K; value: V | undefined }[] = [];

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  set(key: K, value: V): void {
    this.before.push({ key, value: this.entries.get(key) });
    this.entries.set(key, value);
  }

  /** For restore. */
  mark(): number {
    return this.before.length;
  }

  restore(mark: number): void {
    while (this.before.length > mark) {
      const last = this.before.pop();
      if (last?.value !== undefined) this.entries.set(last.key, last.value);
      else if (last) this.entries.delete(last.key);
    }
  }
}
