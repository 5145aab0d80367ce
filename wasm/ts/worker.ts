// The script of a worker: importing it makes the worker answer `connect` of kdequant/worker-client.
import { serve } from './remote/host.js';
import { ownPort } from './remote/own-port.js';

serve(await ownPort('kdequant/worker'));
