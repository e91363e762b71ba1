import type { Lfdi } from "../identity.ts";
import type { PolledDevice } from "../polled-device.ts";
import type { PolledResource } from "../rates.ts";
import { type Answer, failure } from "./answer.ts";
import { connectionPointResources } from "./connection-point-resource.ts";
import { controlResources, numberedControl } from "./control-resources.ts";
import { derResources, logEventResources } from "./device-resources.ts";
import {
  defaultControl,
  der,
  derProgram,
  deviceCapability,
  functionSetAssignments,
  registration,
  selfDevice,
  timeDocument,
} from "./documents.ts";
import { mirrorResources, numberedMirror } from "./mirror-resources.ts";
import { DCAP, type DevicePaths, devicePaths, EDEV_LIST, SELF, TIME } from "./paths.ts";
import { type Program, programsOf } from "./program.ts";
import { endDeviceListResource, endDeviceResource } from "./registration-resources.ts";
import { list, type Resource, single } from "./resource.ts";
import { responseResources } from "./response-resources.ts";
import { subscriptionResources } from "./subscription-resources.ts";

/** What all devices of the server have in common. */
export interface ServerFacts {
  readonly nowMs: number;
  /** Identity of the server's own certificate; absent while it is not open. */
  readonly lfdi?: Lfdi | undefined;
}

/**
 * Finds what a device asks for. It sees itself and nobody else, and before it has registered hardly anything.
 * @returns the resource, or the refusal
 */
export function findResource(path: string, device: PolledDevice, facts: ServerFacts): Resource | Answer {
  const paths = devicePaths(device.number);
  const owner = /^\/(?:edev|rsps)\/(\d{1,9})(?:\/|$)/.exec(path)?.[1];
  if (owner !== undefined && Number(owner) !== device.number) return failure(403, "belongs to another device");
  if (owner !== undefined && !device.registration.isDone) return failure(404, "not registered yet");
  const resource = fixedResources(device, paths, facts).get(path) ?? numberedResource(path, device, paths);
  return resource ?? failure(404, "no such resource");
}

function fixedResources(device: PolledDevice, paths: DevicePaths, facts: ServerFacts): ReadonlyMap<string, Resource> {
  const polled = (resource: PolledResource) => ({ pollRate: device.rates.pollRateS(resource) });
  const subscribable = { subscribable: 1 };
  const programs = programsOf(device, paths);
  return new Map<string, Resource>([
    [DCAP, single(() => deviceCapability(device))],
    [TIME, single(() => timeDocument(facts.nowMs))],
    ...(facts.lfdi === undefined ? [] : [[SELF, single(() => selfDevice(facts.lfdi ?? ""))] as const]),
    [EDEV_LIST, endDeviceListResource(device, paths)],
    [paths.edev, endDeviceResource(device, paths)],
    [paths.registration, single(() => registration(device, paths))],
    ...connectionPointResources(device, paths),
    ...logEventResources(device, paths),
    ...subscriptionResources(device, paths),
    [
      paths.fsaList,
      list(
        "FunctionSetAssignmentsList",
        { href: paths.fsaList, ...polled("FunctionSetAssignmentsList"), ...subscribable },
        () => programs.map((program) => functionSetAssignments(device, program)),
      ),
    ],
    ...programs.flatMap((program) => programResources(device, paths, program)),
    [paths.derList, list("DERList", { href: paths.derList, ...polled("DERList") }, () => [der(paths)])],
    [paths.der, single(() => der(paths))],
    ...derResources(device, paths),
    ...responseResources(device, paths),
    ...mirrorResources(device),
  ]);
}

/** An assignment, and the program in it. */
function programResources(device: PolledDevice, paths: DevicePaths, program: Program): [string, Resource][] {
  const { fsa, programList, program: href, defaultControl: defaultHref } = program.paths;
  const attributes = { href: programList, pollRate: device.rates.pollRateS("DERProgramList"), subscribable: 1 };
  return [
    [fsa, single(() => functionSetAssignments(device, program))],
    [programList, list("DERProgramList", attributes, () => [derProgram(device, program)])],
    [href, single(() => derProgram(device, program))],
    [defaultHref, single(() => defaultControl(device, program))],
    ...controlResources(device, paths, program),
  ];
}

function numberedResource(path: string, device: PolledDevice, paths: DevicePaths): Resource | undefined {
  const slash = path.lastIndexOf("/");
  const digits = path.slice(slash + 1);
  if (!/^\d{1,9}$/.test(digits)) return undefined;
  const parent = path.slice(0, slash);
  return numberedControl(parent, Number(digits), device, paths) ?? numberedMirror(parent, Number(digits), device);
}

/** Resources whose changes a device may be told of, by the beginning of what it may see anyway. */
export function isSubscribable(path: string, device: PolledDevice): boolean {
  const paths = devicePaths(device.number);
  const subscribable = [
    EDEV_LIST,
    paths.edev,
    paths.fsaList,
    ...programsOf(device, paths).flatMap(({ paths: its }) => [
      its.fsa,
      its.programList,
      its.program,
      its.controlList,
      its.activeControlList,
      its.defaultControl,
    ]),
  ];
  return subscribable.includes(path);
}
