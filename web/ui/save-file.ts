/** Hands a file to the browser's downloads. */
export function saveFile(content: BlobPart, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the file's reference by the next task; the memory is freed when it has saved it.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}
