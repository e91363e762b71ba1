import type { Point } from "./point.ts";

/** One request: consecutive registers of one space, with the points that lie in them. */
export interface Block {
  readonly space: Point["space"];
  readonly address: number;
  readonly count: number;
  readonly points: readonly Point[];
}

/**
 * As few requests as the device allows: neighbours together, with up to `maxGap` registers between them that nobody asked
 * for. No point is ever cut in two.
 */
export function planReads(points: Iterable<Point>, limits: { maxRead: number; maxGap: number }): readonly Block[] {
  const inOrder = [...points].sort(
    (a, b) => a.space.localeCompare(b.space) || a.address - b.address || a.width - b.width,
  );
  const blocks: Block[] = [];
  for (const point of inOrder) {
    const last = blocks.at(-1);
    const end = point.address + point.width;
    const fits =
      last !== undefined &&
      last.space === point.space &&
      point.address <= last.address + last.count + limits.maxGap &&
      end - last.address <= limits.maxRead;
    if (!fits || last === undefined) {
      blocks.push({ space: point.space, address: point.address, count: point.width, points: [point] });
      continue;
    }
    const count = Math.max(last.count, end - last.address);
    blocks[blocks.length - 1] = { ...last, count, points: [...last.points, point] };
  }
  return blocks;
}

/**
 * What to try after a device said that a block is not there: without gaps first, then in halves, then nothing: the one
 * point that is left is not there.
 */
export function splitBlock(block: Block, maxRead: number): readonly Block[] {
  const withoutGaps = planReads(block.points, { maxRead, maxGap: 0 });
  if (withoutGaps.length > 1) return withoutGaps;
  if (block.points.length === 1) return [];
  const half = Math.ceil(block.points.length / 2);
  const limits = { maxRead, maxGap: 0 };
  return [...planReads(block.points.slice(0, half), limits), ...planReads(block.points.slice(half), limits)];
}
