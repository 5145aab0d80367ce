// A folder of pictures, or more photos than are shown one by one: taken here from wherever it was chosen or dropped.
import { signal } from '@preact/signals';
import { type FolderFile } from 'kdequant';

/** The folder at hand; undefined until there is one. */
export const folder = signal<{ readonly name: string; readonly files: readonly FolderFile[] } | undefined>(undefined);

/** Files of a folder dialog, which know their paths, or any other files. */
export function openFiles(files: readonly File[]): void {
  const listed = files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  const isFolder = listed.some(({ path }) => path.includes('/'));
  folder.value = {
    name: (isFolder ? listed[0]?.path.split('/')[0] : undefined) ?? `${files.length} files`,
    files: listed,
  };
}

/** Opens dropped folders. False where there are only files. Must be called within the event: later the items are gone. */
export function openDropped(transfer: DataTransfer, onFailure: (error: unknown) => void): boolean {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const name = entries.find((entry) => entry.isDirectory)?.name;
  if (name === undefined) return false;
  Promise.all(entries.map(filesOf)).then((files) => {
    folder.value = { name, files: files.flat() };
  }, onFailure);
  return true;
}

async function filesOf(entry: FileSystemEntry): Promise<FolderFile[]> {
  if (isDirectory(entry)) {
    const inside = await entriesOf(entry);
    return (await Promise.all(inside.map(filesOf))).flat();
  }
  const file = await new Promise<File>((resolve, reject) => {
    (entry as FileSystemFileEntry).file(resolve, reject);
  });
  // Paths of entries begin with "/", those of a folder dialog do not.
  return [{ path: entry.fullPath.replace(/^\//, ''), file }];
}

async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // A call gives some hundred entries, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
