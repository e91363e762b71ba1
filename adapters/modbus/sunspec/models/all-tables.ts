// Written by scripts/sunspec-tables.mjs from the facts of github.com/sunspec/models. Do not edit.

import type { ModelTable } from "../model-table.ts";
import { batteryBank } from "./battery-bank.ts";
import { common } from "./common.ts";
import { dcMeasurement } from "./dc-measurement.ts";
import { derCapacity } from "./der-capacity.ts";
import { derControls } from "./der-controls.ts";
import { derMeasurement } from "./der-measurement.ts";
import { derOperation } from "./der-operation.ts";
import { derStorage } from "./der-storage.ts";
import { enterService } from "./enter-service.ts";
import { immediateControls } from "./immediate-controls.ts";
import { inverterFloat } from "./inverter-float.ts";
import { inverterInteger } from "./inverter-integer.ts";
import { meterFloat } from "./meter-float.ts";
import { meterInteger } from "./meter-integer.ts";
import { mppt } from "./mppt.ts";
import { nameplate } from "./nameplate.ts";
import { settings } from "./settings.ts";
import { status } from "./status.ts";
import { storageControls } from "./storage-controls.ts";

/** Every model that can be decoded. */
export const allTables: readonly ModelTable[] = [
  common,
  inverterInteger,
  inverterFloat,
  nameplate,
  settings,
  status,
  immediateControls,
  storageControls,
  mppt,
  meterInteger,
  meterFloat,
  derMeasurement,
  derCapacity,
  enterService,
  derControls,
  derStorage,
  dcMeasurement,
  derOperation,
  batteryBank,
];
