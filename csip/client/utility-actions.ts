import { modesOf } from "../../simulators/utility/control-values.ts";
import type { DefaultControl, Program } from "../../simulators/utility/program-book.ts";
import type { Rates, Utility } from "../../simulators/utility/utility.ts";
import { type Names, resolvedAll } from "../expression.ts";
import { NotRun } from "../outcome.ts";
import type { Deed } from "../procedure-files.ts";

type Given = Readonly<Record<string, unknown>>;

const VALUE_NAMES = [
  "opModConnect",
  "opModEnergize",
  "opModFixedW",
  "opModImpLimW",
  "opModExpLimW",
  "opModGenLimW",
  "opModLoadLimW",
  "opModStorageTargetW",
] as const;

const RATE_NAMES: Readonly<Record<string, keyof Rates>> = {
  dcap_poll_seconds: "dcapS",
  edev_post_seconds: "edevPostS",
  edev_list_poll_seconds: "edevListS",
  fsa_list_poll_seconds: "fsaListS",
  derp_list_poll_seconds: "derpListS",
  der_list_poll_seconds: "derListS",
  mup_post_seconds: "mupPostS",
};

/** What a procedure tells the utility's operator to do. */
export class UtilityActions {
  readonly #utility: Utility;
  readonly #names: Names;
  readonly #clientLfdi: string;

  /** @param clientLfdi whom a registration out of band is for */
  constructor(utility: Utility, names: Names, clientLfdi: string) {
    this.#utility = utility;
    this.#names = names;
    this.#clientLfdi = clientLfdi;
  }

  /** @returns false for an action that is not the utility's */
  perform({ type, parameters }: Deed): boolean {
    const action = ACTIONS[type];
    if (action === undefined) return false;
    action(this.#utility, resolvedAll(parameters, this.#names), this.#clientLfdi);
    return true;
  }
}

/** Throws for an action or a parameter that this utility does not have. @throws NotRun */
export function checkAction({ type, parameters }: Deed): void {
  if (ACTIONS[type] === undefined) throw new NotRun(`the action ${type} is not supported`);
  if ("end_device_indexes" in parameters) throw new NotRun("it needs several devices behind one aggregator");
  for (const name of Object.keys(parameters)) {
    if (type === "set-comms-rate" && RATE_NAMES[name] === undefined && !/^(tp|tti)_/.test(name))
      throw new NotRun(`the rate ${name} is not supported`);
  }
}

const ACTIONS: Readonly<Record<string, (utility: Utility, parameters: Given, lfdi: string) => void>> = {
  "set-comms-rate": (utility, parameters) => {
    const rates: [string, number][] = [];
    for (const [name, value] of Object.entries(parameters)) {
      const rate = RATE_NAMES[name];
      if (rate !== undefined && typeof value === "number") rates.push([rate, value]);
    }
    utility.setRates(Object.fromEntries(rates));
  },
  "create-der-program": (utility, { primacy, fsa_id, tag }) => {
    openProgram(utility, { primacy: Number(primacy), fsaId: asNumber(fsa_id), tag: asText(tag) });
  },
  "set-default-der-control": (utility, parameters) => {
    const { derp_id, cancelled, setGradW } = parameters;
    for (const program of utility.book.programs) {
      if (derp_id !== undefined && program.id !== Number(derp_id)) continue;
      const kept: DefaultControl = cancelled === true ? {} : (program.default ?? {});
      const grad = asNumber(setGradW);
      utility.setDefault(program, {
        ...kept,
        ...valuesFrom(parameters),
        ...(grad !== undefined && { setGradW: grad }),
      });
    }
  },
  "create-der-control": (utility, parameters) => {
    const values = valuesFrom(parameters);
    if (modesOf(values).length === 0) throw new NotRun("the control has no mode that is supported");
    const ramp = asNumber(parameters["ramp_time_seconds"]);
    utility.addControl(programFor(utility, parameters), {
      values: ramp === undefined ? values : { ...values, rampS: ramp },
      startS: Math.floor(Number(parameters["start"])),
      durationS: Number(parameters["duration_seconds"]),
      randomizeStartS: asNumber(parameters["randomizeStart_seconds"]),
      multiplier: asNumber(parameters["pow_10_multipliers"]),
      tag: asText(parameters["tag"]),
    });
  },
  "cancel-active-der-controls": (utility) => utility.cancelAll(),
  "communications-status": (utility, { enabled }) => {
    utility.isOut = enabled === false;
  },
  "edev-registration-links": (utility, { enabled }) => {
    utility.hasRegistrationLinks = enabled !== false;
  },
  "register-end-device": (utility, { registration_pin }, lfdi) => {
    const pin = asNumber(registration_pin);
    utility.registerDevice({ lfdi, ...(pin !== undefined && { pin: withCheckDigit(pin) }) });
  },
  "create-wellknown-route": (utility, { version, dcap_paths }) => {
    utility.editions.set(String(version), Array.isArray(dcap_paths) ? dcap_paths.map(String) : []);
  },
  "add-proxy-route": (utility, { route, proxy_to }) => {
    utility.otherPaths.set(String(route), String(proxy_to));
  },
  "remove-function-set-assignment": (utility, { fsa_id }) => utility.removeAssignment(Number(fsa_id)),
};

/** The program with that tag, else that primacy and assignment; a new one where there is none. */
function programFor(utility: Utility, parameters: Given): Program {
  const tag = asText(parameters["der_program_tag"]);
  const primacy = asNumber(parameters["primacy"]);
  const fsaId = asNumber(parameters["fsa_id"]);
  const found = utility.book.programs.find((program) =>
    tag === undefined
      ? program.primacy === (primacy ?? 0) && (fsaId === undefined || program.fsaId === fsaId)
      : program.tag === tag,
  );
  return found ?? openProgram(utility, { primacy: primacy ?? 0, fsaId, tag });
}

/** With a default that says nothing: procedures have clients subscribe to it before it says something. */
function openProgram(utility: Utility, options: Parameters<Utility["addProgram"]>[0]): Program {
  const program = utility.addProgram(options);
  utility.setDefault(program, {});
  return program;
}

function valuesFrom(parameters: Given): DefaultControl {
  const present = VALUE_NAMES.filter((name) => parameters[name] !== undefined && parameters[name] !== null);
  return Object.fromEntries(present.map((name) => [name, parameters[name]]));
}

/** A sixth digit checks the five before it. */
function withCheckDigit(pin: number): number {
  let sum = 0;
  for (const digit of String(pin)) sum += Number(digit);
  return pin * 10 + (sum % 10);
}

function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
