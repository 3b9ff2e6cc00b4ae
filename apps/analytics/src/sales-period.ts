import { IsISO8601, IsOptional } from 'class-validator';

/** Which part of the log is asked for. */
export class SalesPeriod {
  /** `2026-11-22T18:00:00Z`. Default: the log's start. */
  @IsOptional()
  @IsISO8601()
  since?: string;
}
