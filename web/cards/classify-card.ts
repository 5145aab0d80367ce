// The third card: photos in, answers out, float beside 4-bit.
import { type Classification, type RgbaPixels, type Session } from 'kdequant';

import { messageOf, showAlert } from '../alerts.js';
import { type App } from '../app.js';
import { byId, element } from '../dom.js';
import { formatMilliseconds, formatPercent } from '../format.js';

interface SamplePhoto {
  readonly file: string;
  readonly title: string;
  readonly alt: string;
  readonly credit: string;
}

/** A photo that somebody brought, and where its answers are shown. */
interface Photo {
  readonly name: string;
  readonly blob: Blob;
  readonly root: HTMLElement;
}

const MAX_PHOTOS = 12;
const TOP = 5;

export function mountClassifyCard(app: App): void {
  const results = element('div', { class: 'results', attributes: { id: 'results', 'aria-live': 'polite' } });
  const samples = element('ul', { class: 'samples', attributes: { 'aria-label': 'Sample photos' } });
  const file = element('input', {
    class: 'visually-hidden',
    attributes: { type: 'file', id: 'photo-file', accept: 'image/*', multiple: true },
  });
  const drop = element('div', {
    class: 'drop',
    children: [
      file,
      element('p', { text: 'Drop photos anywhere on the page, paste one, or' }),
      element('label', { class: 'button button--primary', text: 'Choose photos…', attributes: { for: 'photo-file' } }),
    ],
  });
  byId('classify-card').append(
    element('h2', { text: '3. Does it still see?', attributes: { id: 'classify-heading' } }),
    element('p', {
      text: 'The same photo through both networks. Take one of these, or one of yours: it stays on this machine.',
    }),
    samples,
    drop,
    results,
  );

  const wall = new PhotoWall(app, results);
  file.addEventListener('change', () => {
    wall.add(Array.from(file.files ?? []));
    file.value = '';
  });
  acceptDrops(app, wall);
  document.addEventListener('paste', (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (files.length > 0) wall.add(files);
  });
  app.subscribe(() => {
    wall.refresh();
  });
  loadSamples(samples, wall).catch((error: unknown) => {
    showAlert(`The sample photos could not be loaded: ${messageOf(error)}`);
  });
}

function acceptDrops(app: App, wall: PhotoWall): void {
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dragging');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) document.body.classList.remove('dragging');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    const files = Array.from(event.dataTransfer?.files ?? []);
    const network = files.find((dropped) => dropped.name.toLowerCase().endsWith('.onnx'));
    if (network !== undefined) {
      app.loadFile(network).catch((error: unknown) => {
        showAlert(messageOf(error));
      });
    }
    wall.add(files.filter((dropped) => dropped !== network));
  });
}

async function loadSamples(list: HTMLElement, wall: PhotoWall): Promise<void> {
  const response = await fetch('./photos/photos.json');
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const photos = (await response.json()) as readonly SamplePhoto[];
  list.replaceChildren(
    ...photos.map((photo) => {
      const url = `./photos/${photo.file}`;
      const button = element('button', {
        class: 'sample',
        attributes: { type: 'button', 'data-photo': photo.file },
        children: [
          element('img', { attributes: { src: url, alt: photo.alt, width: 96, height: 96, loading: 'lazy' } }),
        ],
      });
      button.addEventListener('click', () => {
        fetch(url)
          .then(async (answer) => {
            wall.add([new File([await answer.blob()], photo.title)]);
          })
          .catch((error: unknown) => {
            showAlert(messageOf(error));
          });
      });
      return element('li', { children: [button] });
    }),
  );
  byId('photo-credits').textContent = photos.map(({ title, credit }) => `${title} (${credit})`).join(', ');
}

/** The photos shown, newest first, each answered by whichever networks are ready. */
class PhotoWall {
  private photos: Photo[] = [];
  private answeredBy = '';
  // One photo after another: the worker has one thread, and answers should appear in the order of asking.
  private queue: Promise<void> = Promise.resolve();

  private readonly app: App;
  private readonly root: HTMLElement;

  constructor(app: App, root: HTMLElement) {
    this.app = app;
    this.root = root;
  }

  add(files: readonly File[]): void {
    for (const blob of files.slice(0, MAX_PHOTOS)) {
      const photo: Photo = { name: blob.name, blob, root: element('article', { class: 'result' }) };
      photo.root.append(
        element('h3', { class: 'result__name', text: photo.name }),
        element('p', { class: 'hint', text: 'Waiting…' }),
      );
      this.photos.unshift(photo);
      this.root.prepend(photo.root);
      this.answer(photo);
    }
    if (files.length > MAX_PHOTOS) showAlert(`The first ${MAX_PHOTOS} of ${files.length} photos are shown.`);
    for (const old of this.photos.splice(MAX_PHOTOS)) old.root.remove();
  }

  /** Answers again when another network became ready. */
  refresh(): void {
    const { model, quantized } = this.app;
    // While a network is loaded or made, the answers of the earlier one stay.
    if (model.kind !== 'ready' || quantized.kind === 'running') return;
    const answeredBy = `${model.session.info.preprocess}|${model.name}|${quantized.kind === 'ready' ? JSON.stringify(quantized.report) : ''}`;
    if (answeredBy === this.answeredBy) return;
    this.answeredBy = answeredBy;
    for (const photo of this.photos) this.answer(photo);
  }

  private answer(photo: Photo): void {
    this.queue = this.queue.then(async () => {
      if (!this.photos.includes(photo)) return;
      const { model, quantized } = this.app;
      if (model.kind !== 'ready') return;
      try {
        const picture = await model.session.crop(photo.blob);
        const float = await model.session.classify(photo.blob, { top: TOP });
        const small = quantized.kind === 'ready' ? await classify(quantized.session, photo.blob) : undefined;
        this.show(photo, picture, float, small);
      } catch (error) {
        photo.root.replaceChildren(
          this.header(photo),
          element('p', { class: 'alert', text: `"${photo.name}": ${messageOf(error)}` }),
        );
      }
    });
  }

  private show(photo: Photo, picture: RgbaPixels, float: Classification, small: Classification | undefined): void {
    const canvas = element('canvas', {
      class: 'result__picture',
      attributes: {
        width: picture.width,
        height: picture.height,
        role: 'img',
        'aria-label': `${photo.name}, as the networks see it`,
      },
    });
    canvas.getContext('2d')?.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0);
    photo.root.replaceChildren(
      this.header(photo, verdict(float, small)),
      element('div', {
        class: 'result__body',
        children: [canvas, answers('float', float), small === undefined ? pending() : answers('4-bit', small, float)],
      }),
    );
  }

  private header(photo: Photo, badge?: HTMLElement): HTMLElement {
    const remove = element('button', {
      class: 'button button--quiet button--small',
      text: 'Remove',
      attributes: { type: 'button', 'aria-label': `Remove ${photo.name}` },
    });
    remove.addEventListener('click', () => {
      this.photos = this.photos.filter((other) => other !== photo);
      photo.root.remove();
    });
    return element('header', {
      class: 'result__header',
      children: [
        element('h3', { class: 'result__name', text: photo.name }),
        ...(badge === undefined ? [] : [badge]),
        remove,
      ],
    });
  }
}

function classify(session: Session, blob: Blob): Promise<Classification> {
  return session.classify(blob, { top: TOP });
}

function verdict(float: Classification, small: Classification | undefined): HTMLElement | undefined {
  if (small === undefined) return undefined;
  const same = float.predictions[0]?.classIndex === small.predictions[0]?.classIndex;
  return element('span', {
    class: same ? 'badge badge--same' : 'badge badge--differs',
    text: same ? 'same answer' : 'answers differ',
  });
}

function answers(name: string, classification: Classification, reference?: Classification): HTMLElement {
  const known = new Set(reference?.predictions.map(({ classIndex }) => classIndex));
  const rows = classification.predictions.map(({ classIndex, label, probability }) => {
    const bar = element('span', { class: 'answer__bar' });
    bar.style.setProperty('--share', String(probability));
    const isNew = reference !== undefined && !known.has(classIndex);
    return element('li', {
      class: isNew ? 'answer answer--new' : 'answer',
      children: [
        bar,
        element('span', { class: 'answer__label', text: label }),
        element('span', { class: 'answer__probability', text: formatPercent(probability) }),
      ],
    });
  });
  return element('section', {
    class: 'answers',
    attributes: { 'aria-label': `Answers of the ${name} network` },
    children: [
      element('h4', {
        class: 'answers__heading',
        children: [
          element('span', { text: name }),
          element('span', { class: 'answers__time', text: formatMilliseconds(classification.milliseconds) }),
        ],
      }),
      element('ol', { class: 'answers__list', children: rows }),
    ],
  });
}

function pending(): HTMLElement {
  return element('section', {
    class: 'answers answers--pending',
    children: [
      element('h4', { class: 'answers__heading', text: '4-bit' }),
      element('p', { class: 'hint', text: 'Quantize the network above, and its answers stand here.' }),
    ],
  });
}
