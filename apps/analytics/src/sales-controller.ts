import { Controller, Get, Query } from '@nestjs/common';
import { SalesPeriod } from './sales-period.js';
import { type Sales, SalesReport } from './sales-report.js';

@Controller('sales')
export class SalesController {
  readonly #report: SalesReport;

  constructor(report: SalesReport) {
    this.#report = report;
  }

  @Get()
  read(@Query() { since }: SalesPeriod): Promise<Sales> {
    return this.#report.since(since === undefined ? undefined : new Date(since));
  }
}
