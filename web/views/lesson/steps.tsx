// The lesson: eight steps, each with something to do on the real page, a question and its answer.
import { type ComponentChildren } from 'preact';

import { type Settings } from '../../app/settings.js';
import { type ViewId } from '../../shell/views.js';

/** Quantizes with these settings, or sets the laboratory's, by their keys in the address. */
export type Action = { readonly label: string } & (
  { readonly quantize: Partial<Settings> } | { readonly laboratory: Readonly<Record<string, string>> }
);

export interface Step {
  readonly title: string;
  /** The view where it happens. */
  readonly view: ViewId;
  readonly text: ComponentChildren;
  readonly actions: readonly Action[];
  readonly question: string;
  readonly answer: string;
}

/** What the actions start from: everything as on a first visit, but without pictures, so that each takes a second or two. */
export const PLAIN: Settings = {
  method: 'kde-lm',
  granularity: 'channel-scale',
  codebooks: 1,
  bits: 4,
  sampling: 'stratified',
  samples: 1024,
  bandwidth: 'silverman',
  bandwidthFactor: 0.5,
  calibration: 'none',
  pictures: 64,
  compensation: true,
  seed: 1,
};

/** What the laboratory's actions start from. */
const LABORATORY = {
  'lab.method': 'kde-lm',
  'lab.levels': '16',
  'lab.sampling': 'stratified',
  'lab.samples': '1024',
  'lab.bandwidth': 'silverman',
  'lab.factor': '0.5',
};

export const STEPS: readonly Step[] = [
  {
    title: 'Why four bits?',
    view: 'quantize',
    text: (
      <>
        <p>
          This network holds 4.6 million weights. Each is a number of 32 bits, and together they make the 18.5 MB that a
          phone has to download, to keep, and to read again for every photo.
        </p>
        <p>Let us write each weight in 4 bits instead.</p>
      </>
    ),
    actions: [{ label: 'Quantize to 4 bits', quantize: {} }],
    question: 'How many different values can a 4-bit weight have? And why is the file seven times smaller, not eight?',
    answer:
      'Sixteen. Beside the 4-bit numbers the file holds what they stand for: 16 levels a layer and a scale a channel. And the depthwise layers, with only 9 or 25 weights a channel, stay at 8 bits.',
  },
  {
    title: 'Equal steps, or steps that fit',
    view: 'quantize',
    text: (
      <>
        <p>
          The simplest 16 values are equally spaced, from the smallest weight to the largest. But the weights are not
          equally spaced: look at the histogram.
        </p>
        <p>Try both, and watch where the orange ticks stand. Then compare the two runs in the table below.</p>
      </>
    ),
    actions: [
      { label: 'Equal steps', quantize: { method: 'uniform-minmax' } },
      { label: 'Steps that fit', quantize: { method: 'kde-lm' } },
    ],
    question: 'Where do the fitted levels crowd together, and where are they far apart? What is gained?',
    answer:
      'They crowd near zero, where most weights are, and leave wide gaps where there are few. The same 16 values make a smaller error: several decibels more signal over rounding error in nearly every layer.',
  },
  {
    title: 'A thousand weights are enough',
    view: 'laboratory',
    text: (
      <>
        <p>
          To place levels one needs the density of the weights, not the weights. A kernel density estimate lays a small
          bell over each sampled weight and adds them up.
        </p>
        <p>
          The ticks under the curve are the sampled weights. Watch the large figure: how far is it from that of
          Lloyd-Max, which reads all weights?
        </p>
      </>
    ),
    actions: [
      { label: '64 at random', laboratory: { ...LABORATORY, 'lab.samples': '64', 'lab.sampling': 'random' } },
      { label: '64, stratified', laboratory: { ...LABORATORY, 'lab.samples': '64' } },
      { label: '1,024, stratified', laboratory: LABORATORY },
    ],
    question: 'The largest layer has 1.28 million weights. How can 1,024 of them be enough?',
    answer:
      'The levels depend only on the shape of the density, and a smooth shape needs few points. The rare large weights matter most for the error, so the sample is stratified: some are taken from every range of values, and each counts for as many as it stands for.',
  },
  {
    title: 'k-means and Lloyd-Max',
    view: 'laboratory',
    text: (
      <>
        <p>
          Both move levels until nothing gets better: give every weight to its nearest level, then move each level to
          the mean of its weights, and again.
        </p>
        <p>
          k-means starts from random places and is run several times; Lloyd-Max starts once, from a good guess. Press ▶
          under the picture, and watch the levels walk.
        </p>
      </>
    ),
    actions: [
      { label: 'k-means', laboratory: { ...LABORATORY, 'lab.method': 'kde-km' } },
      { label: 'Lloyd-Max', laboratory: LABORATORY },
      { label: 'The optimum', laboratory: { ...LABORATORY, 'lab.method': 'optimal' } },
    ],
    question: 'When both have come to rest, what is true of every level, and of the border between two?',
    answer:
      'Every level is the mean of the weights that are rounded to it, and every border lies midway between two levels. Many arrangements satisfy both; the start decides which one is found. The exact optimum is hardly better.',
  },
  {
    title: 'Outliers and channels',
    view: 'quantize',
    text: (
      <>
        <p>
          A layer has many channels, and some have weights ten times as strong as others. One table for all must reach
          the strongest, and the weak ones fall between its levels.
        </p>
        <p>A scale for each channel puts them on the same footing before the table is made.</p>
      </>
    ),
    actions: [
      { label: 'One table a layer', quantize: { granularity: 'tensor' } },
      { label: 'And a scale a channel', quantize: { granularity: 'channel-scale' } },
    ],
    question: 'What does a scale a channel cost? Compare the sizes of the two runs.',
    answer:
      'Two bytes a channel: one or two percent of the file. A table of its own for every channel would cost sixteen bytes and more, which is a lot for a channel of a few dozen weights.',
  },
  {
    title: 'Making up for errors',
    view: 'quantize',
    text: (
      <>
        <p>
          Rounding one weight up can be made up for by rounding another down, if both see similar inputs. For that one
          needs to know what the inputs look like: pictures are sent through the network. They need not be photos; drawn
          shapes do.
        </p>
        <p>This takes longer: it is most of the work.</p>
      </>
    ),
    actions: [
      { label: 'Nearest level only', quantize: { calibration: 'none' } },
      { label: 'With compensation', quantize: { calibration: 'synthetic' } },
    ],
    question: 'With compensation the weights are farther from the original ones, yet the answers are closer. Why?',
    answer:
      'What counts is the sum of weights times inputs, not each weight. Compensation chooses the errors so that they cancel in that sum, and lets a weight go to the second-nearest level for it.',
  },
  {
    title: 'What breaks?',
    view: 'quantize',
    text: (
      <>
        <p>Now go too far. With 2 bits, each layer has four values left; with 3 bits, eight.</p>
        <p>Watch the answers to the photos, and the places where the two networks part.</p>
      </>
    ),
    actions: [
      { label: '3 bits', quantize: { bits: 3 } },
      { label: '2 bits', quantize: { bits: 2 } },
      { label: '2 bits, compensated', quantize: { bits: 2, calibration: 'synthetic' } },
    ],
    question: 'Which mistakes does the network make first: a cat for another cat, or a cat for a teapot?',
    answer:
      'The first answers to go are those that were close anyway: one breed of cat for another. Only when the error is as strong as the signal, at 2 bits, do the answers lose all connection with the photo.',
  },
  {
    title: 'Small, and fast?',
    view: 'speed',
    text: (
      <>
        <p>
          Four-bit weights are unpacked by a table look-up, sixteen at once, and multiplied as whole numbers, which a
          processor does several at a time. So the small network need not be slower.
        </p>
        <p>Go back to sensible settings and compare the times.</p>
      </>
    ),
    actions: [{ label: 'Quantize, with compensation', quantize: { calibration: 'synthetic' } }],
    question: 'Where would a 4-bit network help most: on a server, in a web page, or in a hearing aid?',
    answer:
      'Wherever bytes are dear: a download over a slow line, memory that other programs want too, a battery that every byte moved costs something. On a large server the gain is room for more networks at a time.',
  },
];
