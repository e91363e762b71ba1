import type { AdapterCommand } from "../../kind.ts";
import { SEP2_GROUP } from "./command-group.ts";
import type { ListedControl } from "./listed-controls.ts";

const HEADING = ["RESOURCE", "STATUS", "FROM", "UNTIL", "ORDER", "SETPOINT", "MRID"];

/** `setpointd 2030.5 controls`: the DERControls that lie ready for devices that poll. */
export const controlsCommand = listing("controls", "DERControls of the devices that poll this gateway");

/** `setpointd 2030.5 pushed`: the DERControls that were sent to devices. */
export const pushedCommand = listing("pushed", "DERControls that were sent to addresses of devices");

function listing(name: string, summary: string): AdapterCommand {
  return {
    group: SEP2_GROUP,
    name,
    summary,
    examples: [`2030.5 ${name} --config site.yaml`, `2030.5 ${name} --config site.yaml --json`],
    needs: "daemon",
    run: async (_input, { ask }) => {
      const answer = (await ask("controls")) as { at: string; controls: readonly ListedControl[] };
      const rows = answer.controls.map(({ era, status, start, end, order, setpointId, mRID }) => {
        return [era, status, start, end, order, setpointId, mRID];
      });
      return { json: { schemaVersion: 1, ...answer }, table: { heading: HEADING, rows } };
    },
  };
}
