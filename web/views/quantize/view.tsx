// The main path: a network, its 4-bit twin, and whether the twin still sees.
import { ViewHeader } from '../../ui/view-header.js';
import { ClassifyCard } from './classify-card.js';
import { CodeCard } from './code-card.js';
import { ModelCard } from './model-card.js';
import { QuantizeCard } from './quantize-card.js';
import { RunsCard } from './runs-card.js';

export function View() {
  return (
    <>
      <ViewHeader title="Make a neural network seven times smaller">
        Here, in this tab. Press Quantize: every weight of a network that names what is in a photo goes from 32 bits to
        4, and you see whether it still knows a cat from an espresso.
      </ViewHeader>
      <div class="path">
        <ModelCard />
        <QuantizeCard />
      </div>
      <ClassifyCard />
      <RunsCard />
      <CodeCard />
    </>
  );
}
