/// <reference lib="esnext.disposable" preserve="true" />
// The package's public types. `Model` and `Session` live in this thread; `RemoteModel` and `RemoteSession` are the same in a worker.

/**
 * The WebAssembly builds. All give the same models byte for byte and the same w4a8 logits bit for bit; `relaxed` is faster, and
 * `threads` is `relaxed` on several processors.
 */
export type Build = 'simd128' | 'relaxed' | 'threads';

/** What `loadModel` reads: an address (a string is one, never a file's content), a file's bytes, or a response being received. */
export type ModelSource = string | URL | ArrayBuffer | Uint8Array | Blob | Response;

/** Pixels without padding, 8 bits a channel, 3 (RGB) or 4 (RGBA) channels as the length tells. Transparency is laid over white. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** What the browser can draw. */
export type DrawablePicture =
  ImageBitmap | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | HTMLVideoElement | VideoFrame;

/** A picture: an encoded file (JPEG, PNG... as a Blob or as bytes), pixels, or something on the page. */
export type PictureInput = Blob | ArrayBuffer | Uint8Array | Pixels | ImageData | DrawablePicture;

/** Where a long job stands. */
export interface Progress {
  /** Of the expected time, 0 to 1, never falling. */
  readonly fraction: number;
  /** A word or two for people: "downloading", "calibrating", "designing levels". */
  readonly stage: string;
  /** The layer at work, where there is one. */
  readonly layer?: string;
  /** Bytes received and expected, while downloading; `total` is missing where the server does not say. */
  readonly loaded?: number;
  readonly total?: number;
}

export interface LoadOptions {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  /**
   * `auto` (the default) takes the fastest that is proven to compute rightly here: `threads` needs a cross-origin isolated page, or
   * Node.
   */
  readonly build?: 'auto' | Build;
  /** A preprocessing SPEC such as `imagenet` or `tf,size=240`, laid over what the file says. See docs/api.md. */
  readonly preprocess?: string;
  /** One name a class, in the order of the outputs. Default: the file's; else ImageNet's, if the model has 1,000 outputs. */
  readonly labels?: readonly string[] | 'imagenet-1k';
}

export interface PrepareOptions {
  /** As in `LoadOptions`. */
  readonly build?: 'auto' | Build;
  /** Also what quantizes, writes files, evaluates and looks into layers. */
  readonly tools?: boolean;
}

/** One layer with weights, or one other node of the network. */
export interface LayerSummary {
  readonly name: string;
  /** The ONNX operator: "Conv", "Gemm", "MaxPool"... */
  readonly op: string;
  /** Shape of the weights, output channels first; of the output where there are none. */
  readonly shape: readonly number[];
  readonly outputShape: readonly number[];
  readonly depthwise: boolean;
  /** Number of weights (0 for a layer without). */
  readonly weights: number;
  /** Bits a weight: 32, 8 or 4 (0 for a layer without weights). */
  readonly bits: number;
  /** Bits an activation of the output, if the file holds a range for it. */
  readonly activationBits?: number;
  /** Bytes of the weights as stored: indices, levels and scales. */
  readonly bytes: number;
  /** Multiply-accumulate operations for one picture. */
  readonly macs: number;
  /** The levels of a 4-bit layer, ascending, in units of the channel scale: of its first codebook, which most channels use where they choose. */
  readonly levels: readonly number[];
  /** How many codebooks its channels choose from; 0 where there are none. */
  readonly codebooks: number;
}

export interface ModelSummary {
  /** The graph's name in the file. */
  readonly name: string;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly output: { readonly name: string; readonly shape: readonly number[] };
  /** Whether any weight is stored in fewer than 32 bits. */
  readonly quantized: boolean;
  readonly weights: number;
  readonly macs: number;
  /** The preprocessing in effect, as a SPEC. */
  readonly preprocess: string;
  /** `kdequant.*` and whatever else the file's metadata holds. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly layers: readonly LayerSummary[];
}

export type Method =
  'kde-lm' | 'kde-km' | 'lloyd-max' | 'k-means' | 'optimal' | 'uniform-minmax' | 'uniform-mse' | 'nf4';
export type Granularity = 'tensor' | 'channel-scale' | 'channel';
export type Sampling = 'stratified' | 'random' | 'stratified-blind';
export type Bandwidth = 'silverman' | 'isj';
export type Activations = 'static' | 'dynamic' | 'float';
export type Effort = 'plain' | 'fast' | 'default' | 'best';

/** What may differ from layer to layer. Depthwise layers keep 8 bits. */
export interface LayerOptions {
  readonly bits?: number;
  readonly method?: Method;
  readonly granularity?: Granularity;
  readonly samples?: number | 'all';
  /** `false` to leave the layer's rounding errors as they are. */
  readonly compensation?: boolean;
}

export interface QuantizeOptions {
  /** How the 16 levels are found. Default `kde-lm`. */
  readonly method?: Method;
  /** What shares a codebook. Default `channel-scale`: a layer, with a scale a channel. */
  readonly granularity?: Granularity;
  /** With channel scales: how many codebooks a layer may have, 1 to 16; a channel takes the one that suits it best. Default: what `effort` says. */
  readonly codebooks?: number;
  /** Default `stratified`. */
  readonly sampling?: Sampling;
  /** Weights a layer's density is estimated from. Default 1024. */
  readonly samples?: number | 'all';
  /** Default `silverman`. */
  readonly bandwidth?: Bandwidth;
  /** Multiplies the bandwidth. Default 0.5. */
  readonly bandwidthFactor?: number;
  /** Pictures to measure activations on: seeded synthetic ones (the default), your own, or none. */
  readonly calibration?: 'synthetic' | 'none' | readonly PictureInput[];
  /** How many synthetic pictures, or how many of your own at most. Default: what `effort` says. */
  readonly pictures?: number;
  /** Whether later weights make up for the rounding errors of earlier ones. Default: what `effort` says. */
  readonly compensation?: boolean;
  /** With compensation: how often a layer's scales and levels are fitted to its compensated weights. Default: what `effort` says. */
  readonly fits?: number;
  /** With compensation: sweeps in which single weights go to better levels afterwards. Default: what `effort` says. */
  readonly sweeps?: number;
  /**
   * With 4 bits: the share, 0 to 1, that giving 8 bits to the smallest layers may add to the bytes. Default: 0.02, in small networks
   * 40,000 bytes but at most 0.06; 0 with effort `plain` and `fast`.
   */
  readonly widen?: number;
  /** Where the byte that stands for an activation gets its range from. Default `static`. */
  readonly activations?: Activations;
  /** A combination of the other options; what you set beside it wins. Default `default`. */
  readonly effort?: Effort;
  /** Bits of a weight, 2 to 8. Default 4; 2 and 3 take as much room as 4, and 5 to 7 as 8. */
  readonly bits?: number;
  /** Options for some layers, by name or glob (* and ?); the last one that matches wins. */
  readonly overrides?: Readonly<Record<string, LayerOptions>>;
  /** Layers to leave in float: names, or globs with * and ?. */
  readonly exclude?: readonly string[];
  /** Same seed, same options, same model: same file, on every build. Default 1. */
  readonly seed?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Called as each layer is finished, in the network's order. */
  readonly onLayer?: (layer: LayerReport) => void;
  readonly signal?: AbortSignal;
}

export interface HistogramOptions {
  /** `channel-scale` (the default): each weight in units of its channel's root mean square; `tensor`: as they are. */
  readonly granularity?: Exclude<Granularity, 'channel'>;
  /** Bins of equal width, 1 to 65,536. Default 4096. */
  readonly bins?: number;
}

/** All weights of a layer in a few thousand numbers, from which the error of any levels can be computed. */
export interface LayerHistogram {
  /** Where the first bin begins, and the width of each. */
  readonly low: number;
  readonly step: number;
  /** Of the weights. */
  readonly min: number;
  readonly max: number;
  /** How many there are. */
  readonly weights: number;
  /** Three numbers a bin: count, sum and sum of squares of the weights in it. */
  readonly moments: Float64Array<ArrayBuffer>;
}

export interface SampleOptions {
  /** As for a histogram. */
  readonly granularity?: Exclude<Granularity, 'channel'>;
  /** Default `stratified`. */
  readonly sampling?: Sampling;
  /** Default 1024. */
  readonly samples?: number | 'all';
  /** Default 1. */
  readonly seed?: number;
}

/** The weights that a layer's density is estimated from: the very ones that `quantize` draws with the same options. */
export interface LayerSample {
  /** Ascending. */
  readonly values: Float64Array<ArrayBuffer>;
  /** How many weights each value stands for. */
  readonly importances: Float64Array<ArrayBuffer>;
  /** How many weights there are, and how many were read to choose these. */
  readonly weights: number;
  readonly scanned: number;
  /** Of the weights that were read. */
  readonly min: number;
  readonly max: number;
}

/** What happened to one layer. */
export interface LayerReport {
  readonly name: string;
  readonly op: string;
  /** Of the weights, output channels first. */
  readonly shape: readonly number[];
  readonly weights: number;
  /** Weights the density was estimated from. */
  readonly samples: number;
  /** In units of the (scale-normalised) weights; 0 where no density was estimated. */
  readonly bandwidth: number;
  /** 4, 8 (depthwise) or 32 (excluded). */
  readonly bits: number;
  /** Ascending, of the codebook that most channels use; empty for 8 and 32 bits. */
  readonly levels: readonly number[];
  /** How many codebooks the layer's channels choose from; 0 for 8 and 32 bits. */
  readonly codebooks: number;
  /** 10 log10(sum w^2 / sum (w - q)^2); null where the weights are kept exactly. */
  readonly sqnrDb: number | null;
  readonly bytes: number;
  /** Whether the rounding errors were compensated: all together, in independent runs of columns, or not. */
  readonly compensation: 'full' | 'blocks' | 'off';
}

export interface QuantizeReport {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly seconds: number;
  /** Read for range, histogram or scale. */
  readonly weightsScanned: number;
  /** The values the densities were estimated from. */
  readonly weightsSampled: number;
  readonly layers: readonly LayerReport[];
}

export interface QuantizeResult<M> {
  readonly model: M;
  readonly report: QuantizeReport;
}

/** `f32`: float arithmetic. `w4a8`: 4-bit weights times one byte an activation, exact, the same logits on every build. */
export type Precision = 'f32' | 'w4a8';

export interface SessionOptions {
  /** Default: `w4a8` for a quantized model, `f32` for a float one. */
  readonly precision?: Precision;
  /** w4a8: measure each activation's range on the picture itself although the file holds ranges. Default false. */
  readonly dynamicRanges?: boolean;
  /** Default `best`; `reference` are plain loops, for comparing. */
  readonly kernels?: 'best' | 'reference' | 'simd128' | 'relaxed';
  /**
   * How many threads compute one picture, where the build has threads: 1 to 64. Default: as many as the machine has processors, at
   * most 4. The answers do not depend on it. Several engines at work at the same time should have one each.
   */
  readonly threads?: number;
  /**
   * Who decodes picture files: `platform` (the browser: fast, every format it shows) or `own` (the same bits on every system:
   * JPEG, PNG, BMP, GIF). Default: `platform` where there is one. Resizing is always our own.
   */
  readonly decoder?: Decoder;
}
export type Decoder = 'platform' | 'own';

export interface SessionInfo {
  readonly precision: Precision;
  readonly build: Build;
  /** The kernels at work: "simd128", "relaxed"... */
  readonly kernels: string;
  readonly threads: number;
  /** Why the build with threads cannot be used here; missing where it can. */
  readonly noThreads?: string;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Memory of activations, planned once, and of packed weights. */
  readonly arenaBytes: number;
  readonly weightBytes: number;
  /** w4a8: layers that compute in float all the same. */
  readonly floatLayers: readonly string[];
  /** The preprocessing in effect, as a SPEC. */
  readonly preprocess: string;
}

export interface ClassifyOptions {
  /** How many predictions. Default 5. */
  readonly top?: number;
}

export interface Prediction {
  readonly classIndex: number;
  /** The class's name; "class 17" where the model has none. */
  readonly label: string;
  readonly probability: number;
}

export interface Classification {
  /** Most probable first. */
  readonly predictions: readonly Prediction[];
  /** The network alone. */
  readonly milliseconds: number;
  /** Resizing, cropping and normalising; decoding is not counted. */
  readonly preprocessMilliseconds: number;
}

export interface StepTime {
  readonly layer: string;
  readonly op: string;
  readonly milliseconds: number;
}

export interface FeatureMapOptions {
  /** The first channel. Default 0. */
  readonly first?: number;
  /** How many channels at most. Default 16. */
  readonly count?: number;
  /** `ranges` of another session's maps of the same channels: then equal values get equal pixels in both. */
  readonly ranges?: readonly number[];
}

/** Channels of a layer's output, as grey pictures. */
export interface FeatureMaps {
  readonly layer: string;
  /** Of the layer, however many are here. */
  readonly channels: number;
  readonly first: number;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** One byte a pixel: map after map, row after row. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** What 0 and 255 stand for: low and high of each map in turn. */
  readonly ranges: readonly number[];
}

/** How far a layer's output is from the reference's. */
export interface OutputError {
  readonly layer: string;
  readonly op: string;
  /** 10 log10(sum x^2 / sum (x - q)^2), x the reference; null where both are equal. */
  readonly sqnrDb: number | null;
}

/** A picture to evaluate on. */
export interface EvaluationPicture {
  readonly picture: PictureInput;
  /** What messages call it. */
  readonly name?: string;
  /** The class that it shows, if anybody knows. */
  readonly classIndex?: number;
}

/** What the networks said about one picture. */
export interface EvaluatedPicture {
  /** Which one, counted from 0. */
  readonly index: number;
  readonly name: string;
  readonly classIndex?: number;
  readonly predictions: readonly Prediction[];
  readonly milliseconds: number;
  readonly reference?: Pick<Classification, 'predictions' | 'milliseconds'>;
}

export interface EvaluateOptions {
  /** The float session to compare with: another one of the same engine, for the same pictures and classes. */
  readonly reference?: Session;
  /** How many there are, where `pictures` does not say it by a length; for the progress. */
  readonly total?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Hears of every picture as it is answered. */
  readonly onPicture?: (picture: EvaluatedPicture, soFar: EvaluationFigures) => void;
  /** After an abort the promise rejects; `onPicture` has had what there was. */
  readonly signal?: AbortSignal;
}

/** Percentages from 0 to 100; null where nothing was counted. */
export interface EvaluationFigures {
  /** Pictures evaluated, and of those with a known class. */
  readonly n: number;
  readonly labelled: number;
  readonly top1: number | null;
  readonly top5: number | null;
  readonly referenceTop1: number | null;
  /** Pictures where both have the same first answer. */
  readonly agreement: number | null;
  /** Mean Kullback-Leibler divergence from the reference's probabilities, in nats. */
  readonly kl: number | null;
  /** Points of top-1 lost against the reference, and the paired interval that holds the true loss with 95 % confidence. */
  readonly loss: number | null;
  readonly lossLow: number | null;
  readonly lossHigh: number | null;
  readonly millisecondsPerPicture: number | null;
}

/** Where the two networks differ: pictures that the reference takes for one class and the session for another. */
export interface Confusion {
  readonly reference: Pick<Prediction, 'classIndex' | 'label'>;
  readonly session: Pick<Prediction, 'classIndex' | 'label'>;
  readonly pictures: readonly EvaluatedPicture[];
}

export interface EvaluationReport extends EvaluationFigures {
  /** Pictures that could not be read, and why. */
  readonly skipped: readonly { readonly index: number; readonly name: string; readonly message: string }[];
  /** Most pictures first. Empty without a reference. */
  readonly confusions: readonly Confusion[];
}

/** A network, planned and packed, that answers one picture after another. */
export interface Session extends Disposable {
  readonly info: SessionInfo;
  /** The most probable classes of a picture. */
  classify(picture: PictureInput, options?: ClassifyOptions): Promise<Classification>;
  /** The network's raw output for a picture. */
  logits(picture: PictureInput): Promise<Float32Array<ArrayBuffer>>;
  /** Input and output row-major, in `info.inputShape` and `info.outputShape`. */
  run(input: Float32Array): Promise<Float32Array<ArrayBuffer>>;
  /** What the network sees of a picture: resized and cropped, RGBA, ready for `new ImageData(data, width)`. */
  crop(picture: PictureInput): Promise<RgbaPixels>;
  /** Runs a picture once and times every step. */
  profile(picture: PictureInput): Promise<readonly StepTime[]>;
  /** What a layer makes of a picture: some channels of its output. */
  featureMaps(picture: PictureInput, layer: string, options?: FeatureMapOptions): Promise<FeatureMaps>;
  /** How far every layer's output for a picture is from what another session computes: where the error of a 4-bit network goes. */
  compareOutputs(picture: PictureInput, reference: Session): Promise<readonly OutputError[]>;
  /** How often the session is right and how often it agrees with another, over many pictures. */
  evaluate(
    pictures: Iterable<EvaluationPicture> | AsyncIterable<EvaluationPicture>,
    options?: EvaluateOptions,
  ): Promise<EvaluationReport>;
  /** Gives the memory back; the garbage collector does it too, later. `using` works where the runtime knows it. */
  dispose(): void;
}

export interface RgbaPixels extends Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** What a model in this thread and one in a worker have in common. */
export interface ModelBase extends Disposable {
  readonly build: Build;
  /** Size as an ONNX file. */
  readonly bytes: number;
  readonly summary: ModelSummary;
  /** `summary.layers`. */
  readonly layers: readonly LayerSummary[];
  /** One name a class: the file's, or ImageNet's for 1,000 outputs; undefined where nobody knows. */
  classNames(): Promise<readonly string[] | undefined>;
  createSession(options?: SessionOptions): Promise<Session>;
  dispose(): void;
}

export interface Model extends ModelBase {
  /** A 4-bit model beside this one, which stays as it is, also when the job fails or is aborted. */
  quantize(options?: QuantizeOptions): Promise<QuantizeResult<Model>>;
  /** An ordinary ONNX file (opset 21). */
  toOnnx(): Uint8Array<ArrayBuffer>;
  /** The weights of a layer as floats, row-major in `layer.shape`; of a 4-bit layer, what its levels and scales stand for. */
  layerWeights(name: string): Float32Array<ArrayBuffer>;
  /** How the weights of a layer are distributed. */
  layerHistogram(name: string, options?: HistogramOptions): LayerHistogram;
  /** A few of the weights, with how many each stands for. */
  layerSample(name: string, options?: SampleOptions): LayerSample;
}

/** A model that lives in a worker. */
export interface RemoteModel extends ModelBase {
  quantize(options?: QuantizeOptions): Promise<QuantizeResult<RemoteModel>>;
  toOnnx(): Promise<Uint8Array<ArrayBuffer>>;
  layerWeights(name: string): Promise<Float32Array<ArrayBuffer>>;
  layerHistogram(name: string, options?: HistogramOptions): Promise<LayerHistogram>;
  layerSample(name: string, options?: SampleOptions): Promise<LayerSample>;
}
