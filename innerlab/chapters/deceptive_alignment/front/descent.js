/** Gradient descent on the training loss of a planner that models its training. The steps are Python's. */

/**
 * @typedef {object} Planner
 * @property {number} kappa how many later episodes weigh
 * @property {number} ratio learning rate of lambda over that of theta
 * @property {number} rate learning rate of theta
 * @property {boolean} capped whether no goal can lose more than 1
 */

/** What a goal that disagrees loses in an episode. */
export const regret = (theta, capped) => (theta >= 0 ? 0 : capped ? 1 - Math.exp(theta) : -theta);

/** The logit for doing what is wanted in training; in deployment it is theta. */
export const trainingLogit = ([theta, lam], { kappa, capped }) => theta + lam * kappa * regret(theta, capped);

/** The path of gradient descent on ln(1 + exp(-training logit)): a point for the start and for each step. */
export function descended(start, steps, planner) {
  const { kappa, ratio, rate, capped } = planner;
  const path = [start];
  let [theta, lam] = start;
  for (let step = 0; step < steps; step += 1) {
    const slope = -1 / (1 + Math.exp(trainingLogit([theta, lam], planner)));
    const across = 1 + lam * kappa * (theta >= 0 ? 0 : capped ? -Math.exp(theta) : -1);
    [theta, lam] = [theta - rate * slope * across, lam - rate * ratio * slope * kappa * regret(theta, capped)];
    path.push([theta, lam]);
  }
  return path;
}

/** What small steps leave as it is where theta is below 0 and regret has no cap. */
export const conserved = ([theta, lam], { kappa, ratio }) => (lam - 1 / kappa) ** 2 / ratio - theta ** 2;

/** Whether small steps without a cap lead to a planner that behaves in training and defects in deployment. */
export const deceptive = ([theta, lam], { kappa, ratio }) => theta < 0 && 1 / kappa - lam < Math.sqrt(ratio) * -theta;
