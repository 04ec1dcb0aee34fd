// Reads layers and contexts as JSON and writes the slopes and weights that the page computes from them.
import { readFileSync } from "node:fs";
import { oneStep, ridge, slopes, weights } from "../../../../innerlab/chapters/mesa_optimizer/front/in_context.js";

const { layers, contexts, step, penalty } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify({
  slopes: contexts.map((context) => slopes(layers, context)),
  steps: contexts.map((context) => oneStep(context, 1, step)),
  ridge: contexts.map((context) => ridge(context, 1, penalty)),
  weights: layers.key[0].length === 3 ? weights(layers) : [],
}));
