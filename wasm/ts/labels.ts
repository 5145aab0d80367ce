// What the classes of a model are called.
import { type ModelSummary, type Prediction } from './types.js';

const imagenetClasses = 1000;

/** One name a class, or undefined where nobody knows. ImageNet's are loaded only when they are needed. */
export async function labelsOf(summary: ModelSummary): Promise<readonly string[] | undefined> {
  const { metadata, output } = summary;
  const own = metadata['kdequant.labels'];
  if (own !== undefined) return own.split('\n');
  const classes = output.shape.reduce((product, dimension) => product * dimension, 1);
  if (metadata['kdequant.labelset'] !== 'imagenet-1k' && classes !== imagenetClasses) return undefined;
  const { imagenetLabels } = await import('./generated/imagenet-classes.js');
  return imagenetLabels;
}

/** A binding's answers, class and probability in turn, by name. */
export function toPredictions(answers: ArrayLike<number>, labels: readonly string[] | undefined): Prediction[] {
  const predictions = [];
  for (let i = 0; i < answers.length; i += 2) {
    const classIndex = answers[i] ?? 0;
    predictions.push({
      classIndex,
      label: labels?.[classIndex] ?? `class ${classIndex}`,
      probability: answers[i + 1] ?? 0,
    });
  }
  return predictions;
}
