/** The lines of a text file of labels: one name a line, or the last column of a comma-separated file. */
export async function readLabels(file: File): Promise<readonly string[]> {
  const lines = (await file.text()).split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  return /\.csv$/i.test(file.name) ? lines.map((line) => line.split(',').at(-1)?.trim() ?? '') : lines;
}
