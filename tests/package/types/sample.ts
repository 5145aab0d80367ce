// Compiled, never run: what a TypeScript project writes must type-check against the published declarations alone.
import {
  deadLeaves,
  KdequantError,
  loadModel,
  type Classification,
  type LayerReport,
  type Model,
  type PictureInput,
  type QuantizeOptions,
  type RemoteModel,
} from 'kdequant';
import { connect, type RemoteEngine } from 'kdequant/worker-client';

export async function page(file: File, image: HTMLImageElement, canvas: OffscreenCanvas): Promise<Blob> {
  const controller = new AbortController();
  const float: Model = await loadModel(file, { signal: controller.signal, labels: ['cat', 'dog'] });
  const seen: LayerReport[] = [];
  const options: QuantizeOptions = {
    method: 'kde-lm',
    granularity: 'channel-scale',
    samples: 'all',
    calibration: [file, image, canvas],
    onProgress: ({ fraction, stage, layer }) => {
      console.log(fraction.toFixed(2), stage, layer?.toUpperCase());
    },
    onLayer: (layer) => seen.push(layer),
  };
  const { model, report } = await float.quantize(options);
  const worst = Math.min(...report.layers.map(({ sqnrDb }) => sqnrDb ?? Infinity));
  const session = await model.createSession({ precision: 'w4a8' });
  const pictures: PictureInput[] = [image, new ImageData(8, 8), { data: new Uint8Array(192), width: 8, height: 8 }];
  for (const picture of pictures) {
    const { predictions }: Classification = await session.classify(picture, { top: 3 });
    console.log(predictions[0]?.label, worst);
  }
  const { data, width } = await deadLeaves(224, 1);
  new OffscreenCanvas(width, width).getContext('2d')?.putImageData(new ImageData(data, width), 0, 0);
  session.dispose();
  return new Blob([model.toOnnx()]);
}

export async function worker(): Promise<RemoteModel | string | undefined> {
  const engine: RemoteEngine = await connect();
  try {
    const { model } = await (await engine.loadModel('model.onnx')).quantize();
    const file: Uint8Array = await model.toOnnx();
    return file.length > 0 ? model : undefined;
  } catch (error) {
    if (error instanceof KdequantError && error.code === 'unsupported') return error.layer;
    throw error;
  } finally {
    engine.terminate();
  }
}

// @ts-expect-error -- a misspelt option
export const misspelt: QuantizeOptions = { sample: 1024 };
// @ts-expect-error -- an unknown method
export const unknown: QuantizeOptions = { method: 'magic' };
