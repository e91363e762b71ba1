import { type AdapterCommand, OperationError } from "../../kind.ts";
import { POLLED_RESOURCES, type PolledResource, type RateChanges } from "../rates.ts";
import { SEP2_GROUP } from "./command-group.ts";
import { textOption, wholeOption } from "./command-options.ts";
import type { ListedRates } from "./rates-operation.ts";

const MOST_S = 86_400;

/** `setpointd 2030.5 rates`: how often devices are told to poll and to post. */
export const ratesCommand: AdapterCommand = {
  group: SEP2_GROUP,
  name: "rates",
  summary: "show or change how often devices are told to poll and to post readings",
  examples: [
    "2030.5 rates --config site.yaml",
    "2030.5 rates --poll 60 --poll-of DERProgramList=10,DERList=300 --post 30 --config site.yaml",
    "2030.5 rates --as-configured --config site.yaml",
  ],
  options: [
    { flags: "--poll <seconds>", description: "of all resources" },
    { flags: "--poll-of <resource=seconds,...>", description: `of single ones: ${POLLED_RESOURCES.join(", ")}` },
    { flags: "--post <seconds>", description: "of readings" },
    { flags: "--as-configured", description: "take back what was set here" },
  ],
  needs: "daemon",
  run: async ({ options }, { ask }) => {
    const pollRateS = wholeOption(options, "poll", 1, MOST_S);
    const postRateS = wholeOption(options, "post", 1, MOST_S);
    const single = textOption(options, "pollOf");
    const answer = (await ask("rates", {
      ...(pollRateS !== undefined && { pollRateS }),
      ...(postRateS !== undefined && { postRateS }),
      ...(single !== undefined && { pollRatesS: ratesFrom(single) }),
      ...(options["asConfigured"] === true && { reset: true }),
    })) as { at: string; rates: ListedRates };
    const { pollRatesS, postRateS: postS, setBy } = answer.rates;
    const rows = [
      ...Object.entries(pollRatesS).map(([resource, rateS]) => [`poll ${resource}`, `${rateS} s`, setBy]),
      ["post readings", `${postS} s`, setBy],
    ];
    return { json: { schemaVersion: 1, ...answer }, table: { heading: ["WHAT", "EVERY", "SET BY"], rows } };
  },
};

/** @throws OperationError for a resource that has no rate, or a rate that is none */
function ratesFrom(text: string): NonNullable<RateChanges["pollRatesS"]> {
  const rates = text.split(",").map((pair) => {
    const [, name, seconds] = /^\s*(\w+)=(\d{1,5})\s*$/.exec(pair) ?? [];
    const resource = POLLED_RESOURCES.find((one) => one === name);
    const rateS = Number(seconds);
    if (resource === undefined || !(rateS >= 1 && rateS <= MOST_S))
      throw new OperationError(
        "invalid",
        `--poll-of has "${pair}", expected RESOURCE=SECONDS, for example DERProgramList=10; resources are ${POLLED_RESOURCES.join(", ")}`,
      );
    return [resource, rateS] as [PolledResource, number];
  });
  return Object.fromEntries(rates);
}
