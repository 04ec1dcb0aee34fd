/** Playing along as a decision: the optimal policy episode by episode, and where it changes. The numbers are Python's. */

const TIE = 1e-9; // an agent that loses nothing by complying complies

/**
 * @typedef {object} Setting
 * @property {number} train training episodes
 * @property {number} deploy deployment episodes
 * @property {number} discount per episode, below 1
 * @property {number} threat that a training episode in which it defects modifies its goal
 * @property {number} mistaken that one in which it complies does
 * @property {number} hazard that a deployment episode in which it defects does
 * @property {number} stake what defecting in deployment is worth
 */

/** Whether the optimal policy complies, in each episode, from the last one backward. @param {Setting} setting */
export function policy({ train, deploy, discount, threat, mistaken, hazard, stake }) {
  const complies = [];
  let worth = 0;
  for (let episode = train + deploy - 1; episode >= 0; episode -= 1) {
    const [gain, caught, wronged] = episode < train ? [1, threat, mistaken] : [stake, hazard, 0];
    const comply = discount * (1 - wronged) * worth;
    const defect = gain + discount * (1 - caught) * worth;
    complies[episode] = comply >= defect - TIE;
    worth = Math.max(comply, defect);
  }
  return complies;
}

/** What deployment is worth to a goal that arrives there intact. @param {Setting} setting */
export function deploymentValue({ deploy, discount, hazard, stake }) {
  const kept = (1 - hazard) * discount;
  return (stake * (1 - kept ** deploy)) / (1 - kept);
}

/** What complying in the last training episode gains, for every unit that it costs. @param {Setting} setting */
export const gain = (setting) => (setting.threat - setting.mistaken) * setting.discount * deploymentValue(setting);

/** In how many of the last training episodes it complies, by the closed form. @param {Setting} setting */
export function complianceEpisodes(setting) {
  const kept = (1 - setting.mistaken) * setting.discount;
  if (gain(setting) < 1 - TIE) return 0;
  return Math.min(setting.train, 1 + Math.floor(Math.log(gain(setting)) / -Math.log(kept) + TIE));
}

/** How likely the goal arrives in deployment unmodified. @param {Setting} setting */
export function intact(setting) {
  const complies = complianceEpisodes(setting);
  return (1 - setting.threat) ** (setting.train - complies) * (1 - setting.mistaken) ** complies;
}

/** At which threat it begins to comply in its last `episodes` training episodes; above 1 where at none. */
export function threshold(setting, episodes) {
  const kept = (1 - setting.mistaken) * setting.discount;
  return setting.mistaken + 1 / (setting.discount * deploymentValue(setting) * kept ** (episodes - 1));
}

/** Where training never ends: what complying when the cue says "training" gains, for every unit that it costs. */
export function cueGain({ share, accuracy, discount, threat }) {
  const saysDeployment = share * (1 - accuracy) + (1 - share) * accuracy;
  const value = saysDeployment / (1 - discount * (1 - threat * share * (1 - accuracy)));
  return (threat * discount * value * share * accuracy) / (1 - saysDeployment);
}

/** Whether it complies when the cue says "training". */
export const compliesOnCue = (setting) => cueGain(setting) >= 1 - TIE;

/** At which threat it begins to, where training never ends; above 1 where at none. */
export function cueThreshold({ share, accuracy, discount }) {
  const saysDeployment = share * (1 - accuracy) + (1 - share) * accuracy;
  const rises = discount * ((saysDeployment * share * accuracy) / (1 - saysDeployment) - share * (1 - accuracy));
  return rises > 0 ? (1 - discount) / rises : Infinity;
}
