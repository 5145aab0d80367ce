// Many pictures through two networks, counted; and which class a folder says each of them shows.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { before, after, test } from 'node:test';
import { availableBuilds, loadModel, picturesOfFolder } from 'kdequant';
import { connect } from 'kdequant/worker-client';
import { tinyNetwork } from './onnx.mjs';
import { cat, networkPath, patternPicture } from './support.mjs';

const pictures = [16, 20, 24, 33, 40, 47, 64, 81].map((side) => patternPicture(side));

let float;
let rough;
before(async () => {
  float = await loadModel(tinyNetwork());
  // Two bits and no care: bad enough to differ.
  rough = (await float.quantize({ bits: 2, effort: 'plain' })).model;
});

/** What evaluate must count, from one classify at a time. */
async function expectedCounts(session, reference, items) {
  let [top1, top5, referenceTop1, agreement] = [0, 0, 0, 0];
  for (const { picture, classIndex } of items) {
    const said = (await session.classify(picture)).predictions.map((prediction) => prediction.classIndex);
    const [expected] = (await reference.classify(picture)).predictions;
    top1 += said[0] === classIndex;
    top5 += said.includes(classIndex);
    referenceTop1 += expected.classIndex === classIndex;
    agreement += said[0] === expected.classIndex;
  }
  const percent = (count) => (100 * count) / items.length;
  return {
    top1: percent(top1),
    top5: percent(top5),
    referenceTop1: percent(referenceTop1),
    agreement: percent(agreement),
  };
}

test('evaluate counts what classify answers one by one, with progress and every picture', async () => {
  const [reference, session] = [await float.createSession(), await rough.createSession()];
  const items = pictures.map((picture, i) => ({ picture, name: `picture-${i}`, classIndex: i % 10 }));
  const progress = [];
  const heard = [];
  const report = await session.evaluate(items, {
    reference,
    onProgress: (step) => progress.push(step.fraction),
    onPicture: (picture, figures) => heard.push([picture, figures]),
  });
  const { top1, top5, referenceTop1, agreement } = report;
  assert.deepEqual({ top1, top5, referenceTop1, agreement }, await expectedCounts(session, reference, items));
  assert.equal(report.n, 8);
  assert.equal(report.labelled, 8);
  assert.ok(report.kl > 0 && report.lossLow <= report.loss && report.loss <= report.lossHigh);
  assert.deepEqual(
    progress,
    [...progress].sort((a, b) => a - b),
  );
  assert.equal(progress.at(-1), 1);
  assert.deepEqual(heard.map(([picture]) => picture.name).sort(), items.map(({ name }) => name).sort());
  assert.equal(heard.at(-1)[1].n, 8);

  const differing = heard.filter(
    ([{ predictions, reference: other }]) => predictions[0].classIndex !== other.predictions[0].classIndex,
  );
  assert.ok(differing.length > 0, 'two bits without care change an answer');
  assert.equal(
    report.confusions.reduce((sum, confusion) => sum + confusion.pictures.length, 0),
    differing.length,
  );
  for (const confusion of report.confusions) {
    for (const picture of confusion.pictures) {
      assert.equal(picture.reference.predictions[0].classIndex, confusion.reference.classIndex);
      assert.equal(picture.predictions[0].classIndex, confusion.session.classIndex);
    }
  }
});

test('a picture that cannot be read is skipped with its reason; without labels only agreement is known', async () => {
  const session = await rough.createSession();
  const items = [
    { picture: new Blob(['text']), name: 'notes.jpg' },
    { picture: pictures[0], name: 'good' },
  ];
  const report = await session.evaluate(items, { reference: await float.createSession() });
  assert.equal(report.n, 1);
  assert.equal(report.skipped.length, 1);
  assert.equal(report.skipped[0].name, 'notes.jpg');
  assert.match(report.skipped[0].message, /picture/);
  assert.equal(report.top1, null);
  assert.ok(report.agreement === 0 || report.agreement === 100);
  await assert.rejects(session.evaluate([items[0]]), { code: 'bad-input', message: /notes\.jpg/ });
  await assert.rejects(session.evaluate([]), { code: 'bad-input', message: /no picture/ });
});

test('a class that the network has not stops the evaluation', async () => {
  const session = await float.createSession();
  const items = [{ picture: pictures[0], classIndex: 10 }];
  await assert.rejects(session.evaluate(items), { code: 'usage', message: /class 10.*0 to 9/ });
});

test('networks of different classes are not compared', async () => {
  const other = await (await loadModel(tinyNetwork({ classes: 7 }))).createSession();
  const session = await float.createSession();
  await assert.rejects(session.evaluate([{ picture: pictures[0] }], { reference: other }), {
    code: 'usage',
    message: /10 classes.*has 7;/,
  });
});

test('an endless evaluation stops at an abort', async () => {
  const session = await float.createSession();
  const controller = new AbortController();
  async function* forever() {
    for (;;) yield { picture: pictures[0] };
  }
  let seen = 0;
  const onPicture = () => {
    if (++seen === 5) controller.abort();
  };
  await assert.rejects(session.evaluate(forever(), { onPicture, signal: controller.signal }), { name: 'AbortError' });
  assert.ok(seen < 10);
});

let engine;
after(() => engine?.terminate());

test('a worker evaluates the same, from files too', async () => {
  engine = await connect();
  const far = await engine.loadModel(networkPath);
  const near = await loadModel(networkPath);
  const file = new Blob([await cat()]);
  const items = [
    { picture: file, name: 'cat', classIndex: 281 },
    { picture: patternPicture(300), name: 'pattern' },
  ];
  const withoutTimes = ({ millisecondsPerPicture, ...report }) => {
    assert.ok(millisecondsPerPicture > 0);
    return report;
  };
  const a = await (await far.createSession()).evaluate(items, { reference: await far.createSession() });
  const b = await (await near.createSession()).evaluate(items, { reference: await near.createSession() });
  assert.deepEqual(withoutTimes(a), withoutTimes(b));
  assert.equal(a.agreement, 100);
  assert.equal(a.labelled, 1);
  assert.deepEqual(await engine.availableBuilds(), await availableBuilds());
  assert.equal((await engine.availableBuilds())[0], 'simd128');
  const other = await near.createSession();
  await assert.rejects((await far.createSession()).evaluate(items, { reference: other }), { code: 'usage' });
});

test('classNames are the file’s, ImageNet’s for a thousand outputs, or unknown', async () => {
  assert.equal(await float.classNames(), undefined);
  const named = await loadModel(tinyNetwork(), { labels: Array.from('abcdefghij') });
  assert.deepEqual(await named.classNames(), Array.from('abcdefghij'));
  assert.equal((await (await loadModel(networkPath)).classNames()).length, 1000);
});

const file = (path, content = 'x') => ({ path, file: new Blob([content]) });

test('a labels.csv says which pictures count and what they show', async () => {
  const folder = [
    file('set/b.jpg'),
    file('set/a.PNG'),
    file('set/notes.txt'),
    file('set/extra.jpg'),
    file('set/labels.csv', 'class_index,file\r\n7,b.jpg\r\n3,a.PNG\r\n'),
  ];
  const found = await picturesOfFolder(folder);
  assert.equal(found.labels, 'table');
  assert.deepEqual(
    found.pictures.map(({ name, classIndex }) => [name, classIndex]),
    [
      ['set/b.jpg', 7],
      ['set/a.PNG', 3],
    ],
  );
  assert.equal(found.labelled, 2);
  assert.equal(found.ignored, 2);
  const refused = (csv, message) =>
    assert.rejects(picturesOfFolder([file('set/b.jpg'), file('set/labels.csv', csv)]), { code: 'bad-input', message });
  await refused('file,class_index\nmissing.jpg,1', /set\/labels\.csv: names "missing\.jpg"/);
  await refused('name,class\nb.jpg,1', /set\/labels\.csv: line 1: .*column "file"/);
});

test('subfolders are classes by number, by name or synonym, and ImageNet’s by WordNet number', async () => {
  const names = ['tabby, tabby cat', 'crane', 'crane', 'golden retriever'];
  const found = await picturesOfFolder(
    [
      file('root/golden_retriever/1.jpg'),
      file('root/Tabby Cat/1.jpg'),
      file('root/crane/1.jpg'),
      file('root/2/.hidden.jpg'),
      file('root/2/1.webp'),
    ],
    names,
  );
  assert.equal(found.labels, 'folders');
  assert.deepEqual(Object.fromEntries(found.pictures.map(({ name, classIndex }) => [name, classIndex])), {
    'root/2/1.webp': 2,
    'root/Tabby Cat/1.jpg': 0,
    'root/crane/1.jpg': undefined,
    'root/golden_retriever/1.jpg': 3,
  });
  assert.deepEqual(found.unknownFolders, ['crane'], 'two classes are called so');
  assert.equal(found.labelled, 3);
  assert.equal(found.ignored, 1);
  const wordNet = await picturesOfFolder(
    ['n02', 'n03', 'n01'].map((start) => file(`root/${start}000000/a.jpg`)),
    ['x', 'y', 'z'],
  );
  assert.deepEqual(
    wordNet.pictures.map(({ classIndex }) => classIndex),
    [0, 1, 2],
  );
});

test('a folder of photos without classes has none, and one without photos is refused', async () => {
  const found = await picturesOfFolder([file('5/a.jpg'), file('5/b.jpg')], ['x', 'y', 'z', 'u', 'v', 'w']);
  assert.equal(found.labels, 'none');
  assert.equal(found.labelled, 0);
  await assert.rejects(picturesOfFolder([]), { code: 'bad-input', message: /empty/ });
  await assert.rejects(picturesOfFolder([file('a/b.txt')]), { code: 'bad-input', message: /no picture among 1 file/ });
});

test('the photos of the page are a folder, too', async () => {
  const folder = new URL('../../build/assets/photos/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jpg'));
  const files = await Promise.all(
    names.map(async (name) => ({ path: `photos/${name}`, file: new Blob([await readFile(new URL(name, folder))]) })),
  );
  const model = await loadModel(networkPath);
  const { pictures: found } = await picturesOfFolder(files, await model.classNames());
  const report = await (await model.createSession()).evaluate(found);
  assert.equal(report.n, names.length);
  assert.equal(report.agreement, null);
  assert.deepEqual(report.confusions, []);
});
