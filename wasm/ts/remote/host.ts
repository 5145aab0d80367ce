// The worker's side: keeps the objects and does the work.
import { KdequantError } from '../errors.js';
import { type Tally } from '../evaluate.js';
import { availableBuilds, decodePicture, deadLeaves, loadModel, prepare } from '../index.js';
import { parseLabelTable } from '../label-table.js';
import { LocalModel } from '../model.js';
import { LocalSession } from '../session.js';
import { type LayerReport, type Model, type Progress, type Session } from '../types.js';
import {
  type CallName,
  type Calls,
  type FromWorker,
  type ObjectId,
  type Port,
  type RemoteModelState,
  toSentError,
  type ToWorker,
  transferables,
} from './protocol.js';

interface Context {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly onLayer: (layer: LayerReport) => void;
}

type Handlers = {
  readonly [Name in CallName]: (args: Calls[Name]['args'], context: Context) => Promise<Calls[Name]['result']>;
};

/** Answers calls on `port` until the worker ends. */
export function serve(port: Port<FromWorker, ToWorker>): void {
  const objects = new Objects();
  const handlers = makeHandlers(objects);
  const underWay = new Map<number, AbortController>();

  async function answer(id: number, name: CallName, args: Calls[CallName]['args']): Promise<void> {
    const controller = new AbortController();
    underWay.set(id, controller);
    const context: Context = {
      signal: controller.signal,
      onProgress: (progress) => {
        port.send({ type: 'progress', id, progress }, []);
      },
      onLayer: (layer) => {
        port.send({ type: 'layer', id, layer }, []);
      },
    };
    try {
      // The message's type pairs name and arguments; TypeScript cannot follow that through the table.
      const handler = handlers[name] as (args: unknown, context: Context) => Promise<Calls[CallName]['result']>;
      const result = await handler(args, context);
      port.send({ type: 'result', id, result }, transferables(result));
    } catch (error) {
      port.send({ type: 'failure', id, error: toSentError(error) }, []);
    } finally {
      underWay.delete(id);
    }
  }

  port.receive((message) => {
    switch (message.type) {
      case 'hello':
        port.send({ type: 'ready' }, []);
        return;
      case 'call':
        void answer(message.id, message.name, message.args);
        return;
      case 'abort':
        underWay.get(message.id)?.abort();
        return;
      case 'release':
        objects.release(message.object);
        return;
    }
  });
  port.send({ type: 'ready' }, []);
}

class Objects {
  readonly #models = new Map<ObjectId, Model>();
  readonly #sessions = new Map<ObjectId, Session>();
  readonly #tallies = new Map<ObjectId, Tally>();
  #last = 0;

  addModel(model: Model): RemoteModelState {
    this.#models.set(++this.#last, model);
    return { model: this.#last, build: model.build, bytes: model.bytes, summary: model.summary };
  }

  addSession(session: Session): ObjectId {
    this.#sessions.set(++this.#last, session);
    return this.#last;
  }

  addTally(tally: Tally): ObjectId {
    this.#tallies.set(++this.#last, tally);
    return this.#last;
  }

  model(id: ObjectId): Model {
    return this.#models.get(id) ?? fail('this model was disposed of; load it again');
  }

  session(id: ObjectId): Session {
    return this.#sessions.get(id) ?? fail('this session was disposed of; make another with model.createSession()');
  }

  tally(id: ObjectId): Tally {
    return this.#tallies.get(id) ?? fail('this evaluation has ended');
  }

  release(id: ObjectId): void {
    this.#models.get(id)?.dispose();
    this.#models.delete(id);
    this.#sessions.get(id)?.dispose();
    this.#sessions.delete(id);
    this.#tallies.get(id)?.dispose();
    this.#tallies.delete(id);
  }
}

function fail(message: string): never {
  throw new KdequantError('usage', message);
}

/** The model once nothing it does has to wait for a download. */
async function withTools(model: Model): Promise<Model> {
  if (model instanceof LocalModel) await model.fetchTools();
  return model;
}

/* eslint-disable @typescript-eslint/require-await -- some of the calls are quick, and all must answer with a promise */
function makeHandlers(objects: Objects): Handlers {
  return {
    loadModel: async ({ source, options }, { signal, onProgress }) =>
      objects.addModel(await loadModel(source, { ...options, signal, onProgress })),
    quantize: async ({ model, options }, context) => {
      const result = await objects.model(model).quantize({ ...options, ...context });
      return { ...objects.addModel(result.model), report: result.report };
    },
    createSession: async ({ model, options }) => {
      const session = await objects.model(model).createSession(options);
      return { session: objects.addSession(session), info: session.info };
    },
    toOnnx: async ({ model }) => (await withTools(objects.model(model))).toOnnx(),
    layerWeights: async ({ model, layer }) => objects.model(model).layerWeights(layer),
    layerHistogram: async ({ model, layer, options }) =>
      (await withTools(objects.model(model))).layerHistogram(layer, options),
    layerSample: async ({ model, layer, options }) =>
      (await withTools(objects.model(model))).layerSample(layer, options),
    classify: async ({ session, picture, options }) => objects.session(session).classify(picture, options),
    logits: async ({ session, picture }) => objects.session(session).logits(picture),
    run: async ({ session, input }) => objects.session(session).run(input),
    crop: async ({ session, picture }) => objects.session(session).crop(picture),
    profile: async ({ session, picture }) => objects.session(session).profile(picture),
    featureMaps: async ({ session, picture, layer, options }) =>
      objects.session(session).featureMaps(picture, layer, options),
    compareOutputs: async ({ session, picture, reference }) =>
      objects.session(session).compareOutputs(picture, objects.session(reference)),
    createTally: async ({ session, reference }) => ({
      tally: objects.addTally(
        await LocalSession.tallyOf(
          objects.session(session),
          reference === undefined ? undefined : objects.session(reference),
        ),
      ),
    }),
    addToTally: async ({ tally, picture, classIndex }) => objects.tally(tally).add(picture, classIndex),
    parseLabelTable: async ({ csv }) => parseLabelTable(csv),
    prepare: async ({ options }) => ({ build: await prepare(options) }),
    availableBuilds: async () => availableBuilds(),
    deadLeaves: async ({ size, seed, index }) => deadLeaves(size, seed, index),
    decodePicture: async ({ picture, decoder }) => decodePicture(picture, decoder),
  };
}
