// Which line of a program's source a place is on; what object.ts puts into .BTF.ext, and the verifier into its words.

export class SourceLines {
  private readonly text: string;
  /** Where each line begins. */
  private readonly starts: number[] = [0];

  constructor(source: { name: string; text: string }) {
    this.text = source.text;
    for (let at = source.text.indexOf('\n'); at >= 0; at = source.text.indexOf('\n', at + 1))
      this.starts.push(at + 1);
  }

  /** Lines and columns count from 1; `text` is the line without its indentation. */
  of(place: number): { line: number; column: number; text: string } {
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] as number) <= place) low = middle;
      else high = middle;
    }
    const start = this.starts[low] as number;
    const end = this.starts[low + 1] ?? this.text.length + 1;
    return { line: low + 1, column: place - start + 1, text: this.text.slice(start, end - 1).trim() };
  }
}
