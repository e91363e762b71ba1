import type { ResourceKind } from "../../../src/model/resource.ts";
import { type ModelBlock, readBlock } from "./model-block.ts";
import { findModel, type ModelChain } from "./model-chain.ts";
import { type ModelTable, partOf } from "./model-table.ts";
import { batteryBank } from "./models/battery-bank.ts";
import { derOperation } from "./models/der-operation.ts";
import { encodeNumber, writableType } from "./point-types.ts";
import type { Registers } from "./registers.ts";

const LOCAL = 1;

interface Place {
  readonly table: ModelTable;
  readonly name: string;
  /** The counter that a controller keeps moving. */
  readonly heartbeat: string;
  /** What counts as the greatest value; after it comes 0. */
  readonly most: number;
}

const OPERATION: Place = {
  table: partOf(derOperation, ["LocRemCtl", "ControllerHb"]),
  name: "715",
  heartbeat: "ControllerHb",
  most: 0xffff_fffe,
};
const BANK: Place = {
  table: partOf(batteryBank, ["LocRemCtl", "CtrlHb"]),
  name: "802",
  heartbeat: "CtrlHb",
  most: 0xfffe,
};

/** A counter that the device wants to see moving. */
export interface Heartbeat {
  /** "715.ControllerHb" */
  readonly name: string;
  readonly address: number;
  /** What to write next. */
  readonly next: readonly number[];
}

/** Whether somebody at the device has it, and what it wants of a controller. */
export interface Authority {
  /** The point that says "local"; absent if it may be controlled from here. */
  readonly local?: string;
  readonly heartbeats: readonly Heartbeat[];
}

/** True for a device that has such points, so that asking makes sense. */
export function hasAuthority(chain: ModelChain, kind: ResourceKind): boolean {
  return placesFor(kind).some(({ table }) => findModel(chain, table) !== undefined);
}

/** Asks 715, and 802 of a battery, who controls the device. */
export async function readAuthority(
  registers: Registers,
  chain: ModelChain,
  kind: ResourceKind,
  signal: AbortSignal,
): Promise<Authority> {
  let local: string | undefined;
  const heartbeats: Heartbeat[] = [];
  for (const place of placesFor(kind)) {
    const entry = findModel(chain, place.table);
    if (entry === undefined) continue;
    const block = await readBlock(registers, place.table, entry, signal);
    if (block.raw("LocRemCtl") === LOCAL) local ??= `${place.name}.LocRemCtl`;
    const heartbeat = heartbeatIn(block, place);
    if (heartbeat !== undefined) heartbeats.push(heartbeat);
  }
  return { heartbeats, ...(local === undefined ? {} : { local }) };
}

function heartbeatIn(block: ModelBlock<ModelTable>, place: Place): Heartbeat | undefined {
  const now = block.raw(place.heartbeat);
  if (now === undefined) return undefined;
  const point = block.point(place.heartbeat);
  return {
    name: `${place.name}.${place.heartbeat}`,
    address: block.entry.address + point.offset,
    next: encodeNumber(writableType(point.type), now >= place.most ? 0 : now + 1),
  };
}

/** A bank under local control does not keep the sun from being limited. */
function placesFor(kind: ResourceKind): readonly Place[] {
  return kind === "battery" ? [OPERATION, BANK] : [OPERATION];
}
