/** Addresses of one assignment and the one program in it. */
export interface ProgramPaths {
  readonly fsa: string;
  readonly programList: string;
  readonly program: string;
  readonly controlList: string;
  readonly activeControlList: string;
  readonly defaultControl: string;
}

/** Addresses of one device's resources. Clients follow links, so only `/dcap` is agreed upon beforehand. */
export interface DevicePaths extends ProgramPaths {
  readonly edev: string;
  readonly registration: string;
  readonly subscriptions: string;
  readonly logEvents: string;
  readonly connectionPoint: string;
  readonly fsaList: string;
  /** Where the operator has a program of its own. */
  readonly operator: ProgramPaths;
  readonly derList: string;
  readonly der: string;
  readonly responseSet: string;
  readonly responses: string;
}

export const DCAP = "/dcap";
export const TIME = "/tm";
export const SELF = "/sdev";
export const EDEV_LIST = "/edev";
export const MIRROR_LIST = "/mup";
export const RESPONSE_SETS = "/rsps";

/** @param number of the device, from 1 */
export function devicePaths(number: number): DevicePaths {
  const edev = `${EDEV_LIST}/${number}`;
  return {
    edev,
    registration: `${edev}/rg`,
    subscriptions: `${edev}/sub`,
    logEvents: `${edev}/lel`,
    connectionPoint: `${edev}/cp`,
    fsaList: `${edev}/fsa`,
    ...programPaths(`${edev}/fsa/1`, `${edev}/derp`),
    operator: programPaths(`${edev}/fsa/2`, `${edev}/opderp`),
    derList: `${edev}/der`,
    der: `${edev}/der/1`,
    responseSet: `${RESPONSE_SETS}/${number}`,
    responses: `${RESPONSE_SETS}/${number}/rsp`,
  };
}

function programPaths(fsa: string, programList: string): ProgramPaths {
  const program = `${programList}/1`;
  return {
    fsa,
    programList,
    program,
    controlList: `${program}/derc`,
    activeControlList: `${program}/actderc`,
    defaultControl: `${program}/dderc`,
  };
}
