// A folder of pictures as an evaluation wants it: which files are pictures, and which class each shows.
import { KdequantError } from './errors.js';
import { type EvaluationPicture } from './types.js';

/** A file and where it lies: "birds/crane/12.jpg". A chosen `File` has its path in `webkitRelativePath`. */
export interface FolderFile {
  readonly path: string;
  readonly file: Blob;
}

export interface FolderPictures {
  /** In the order of the table, or of their paths; named by path. */
  readonly pictures: readonly EvaluationPicture[];
  /** How many of them have a known class. */
  readonly labelled: number;
  /** Where the classes are from. */
  readonly labels: 'table' | 'folders' | 'none';
  /** Subfolders whose name is no class of the network. */
  readonly unknownFolders: readonly string[];
  /** Files that are no pictures, or that the table does not name. */
  readonly ignored: number;
}

export interface LabelRow {
  readonly file: string;
  readonly classIndex: number;
}

/** Reads a CSV table with the columns file and class_index. */
export type TableParser = (csv: string) => Promise<readonly LabelRow[]>;

const tableName = 'labels.csv';
const pictureName = /\.(jpe?g|png|bmp|gif|webp|avif|heic|heif)$/i;

/**
 * The pictures of a folder with their classes: by a `labels.csv` in it (the files that it names, and no others), or by one subfolder
 * a class, named by the class's number, its name, or its WordNet number where there is a folder for every class.
 *
 * Rejects with `bad-input`: no picture; a wrong table, or one that names a file that is not there.
 */
export async function collectPictures(
  files: readonly FolderFile[],
  classNames: readonly string[] | undefined,
  parseTable: TableParser,
): Promise<FolderPictures> {
  const pictures = files
    .filter(({ path }) => pictureName.test(path) && !baseOf(path).startsWith('.'))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (pictures.length === 0) {
    throw new KdequantError(
      'bad-input',
      files.length === 0
        ? 'the folder is empty; choose one with pictures in it'
        : `there is no picture among ${files.length} files; choose a folder with JPEG, PNG, WebP, GIF or BMP files`,
    );
  }
  const table = files
    .filter(({ path }) => baseOf(path).toLowerCase() === tableName)
    .sort((a, b) => depthOf(a.path) - depthOf(b.path))[0];
  return table ? byTable(pictures, table, files.length, parseTable) : byFolder(pictures, files.length, classNames);
}

async function byTable(
  pictures: readonly FolderFile[],
  table: FolderFile,
  files: number,
  parseTable: TableParser,
): Promise<FolderPictures> {
  const folder = folderOf(table.path);
  const byPath = new Map(pictures.map((picture) => [picture.path, picture]));
  const wrong = (message: string): KdequantError => new KdequantError('bad-input', `${table.path}: ${message}`);
  let rows;
  try {
    rows = await parseTable(await table.file.text());
  } catch (error) {
    throw error instanceof KdequantError ? wrong(error.message) : error;
  }
  const named = rows.map(({ file, classIndex }) => {
    const picture = byPath.get(folder === '' ? file : `${folder}/${file}`);
    if (!picture) throw wrong(`names "${file}", which is not in the folder; correct the table, or add the file`);
    return { picture: picture.file, name: picture.path, classIndex };
  });
  return {
    pictures: named,
    labelled: named.length,
    labels: 'table',
    unknownFolders: [],
    ignored: files - named.length - 1,
  };
}

function byFolder(
  pictures: readonly FolderFile[],
  files: number,
  classNames: readonly string[] | undefined,
): FolderPictures {
  const folders = [...new Set(pictures.map(({ path }) => folderOf(path)))].sort();
  const classes = classesOf(folders, classNames);
  const unknown = classes.size === 0 ? [] : folders.filter((folder) => !classes.has(folder)).map(baseOf);
  const labelled = pictures.map(({ path, file }) => {
    const classIndex = classes.get(folderOf(path));
    return { picture: file, name: path, ...(classIndex === undefined ? {} : { classIndex }) };
  });
  return {
    pictures: labelled,
    labelled: labelled.filter(({ classIndex }) => classIndex !== undefined).length,
    labels: classes.size > 0 ? 'folders' : 'none',
    unknownFolders: unknown,
    ignored: files - pictures.length,
  };
}

function classesOf(folders: readonly string[], classNames: readonly string[] | undefined): Map<string, number> {
  const classes = new Map<string, number>();
  // Without subfolders the name of the one folder says nothing about its pictures: it may be called "5" for any reason.
  const chosen = folders.every((folder) => depthOf(folder) === 0);
  if (chosen && folders.length === 1) return classes;
  // ImageNet's own folders are called by WordNet numbers, and its classes are numbered in their order.
  const wordNet = folders.every((folder) => /^n\d{8}$/.test(baseOf(folder)));
  if (wordNet && folders.length === classNames?.length) return new Map(folders.map((folder, index) => [folder, index]));
  const named = indexOfNames(classNames ?? []);
  for (const folder of folders) {
    const name = baseOf(folder);
    const index = /^\d+$/.test(name) ? Number(name) : named.get(simplify(name));
    if (index !== undefined && (classNames === undefined || index < classNames.length)) classes.set(folder, index);
  }
  return classes;
}

/** Every name and each of its synonyms ("tabby, tabby cat"); not those that two classes share. */
function indexOfNames(classNames: readonly string[]): Map<string, number | undefined> {
  const indexes = new Map<string, number | undefined>();
  classNames.forEach((name, index) => {
    for (const synonym of new Set([name, ...name.split(',')].map(simplify))) {
      indexes.set(synonym, indexes.has(synonym) ? undefined : index);
    }
  });
  return indexes;
}

function simplify(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function depthOf(path: string): number {
  return path.split('/').length - 1;
}
