import type { AdapterCommand, CommandResult } from "../../kind.ts";
import { SEP2_GROUP } from "./command-group.ts";
import type { ListedControl } from "./listed-controls.ts";

/** What a narrow terminal cuts off comes last; the mRID is needed whole, to take an order back. */
const HEADING = ["RESOURCE", "BY", "STATUS", "FROM", "UNTIL", "MRID", "ORDER", "ANSWER", "SETPOINT"];

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
      return { json: { schemaVersion: 1, ...answer }, table: controlsTable(answer.controls) };
    },
  };
}

/** Controls as a person reads them. */
export function controlsTable(controls: readonly ListedControl[]): NonNullable<CommandResult["table"]> {
  const rows = controls.map(({ era, by, status, start, end, order, setpointId, mRID, answer = "" }) => {
    return [era, by, status, wholeSeconds(start), wholeSeconds(end), mRID, order, answer, setpointId];
  });
  return { heading: HEADING, rows };
}

/** All times of 2030.5 are. */
function wholeSeconds(time: string): string {
  return time.replace(".000Z", "Z");
}
