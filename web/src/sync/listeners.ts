/** Those who want to be told. One that throws does not keep the others from hearing. */
export class Listeners<T> {
  private readonly all = new Set<(value: T) => void>();

  /** Returns how to stop. */
  add(listener: (value: T) => void): () => void {
    this.all.add(listener);
    return () => this.all.delete(listener);
  }

  /** Tells all of them. */
  tell(value: T): void {
    for (const listener of [...this.all]) {
      try {
        listener(value);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}
