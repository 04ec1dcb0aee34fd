// Reads settings as JSON and writes what the page makes of each: its policy, its closed forms, and its words on a cue.
import { readFileSync } from "node:fs";
import { complianceEpisodes, compliesOnCue, cueGain, deploymentValue, intact, policy } from "../../../../innerlab/chapters/deceptive_alignment/front/deception.js";

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((setting) => ({
  policy: policy(setting), episodes: complianceEpisodes(setting), intact: intact(setting), deployment: deploymentValue(setting),
  onCue: compliesOnCue(setting), cueGain: cueGain(setting),
}))));
