import { GpsFix, gpsFixes, Position } from '@demo/contracts';
import { InjectProducer, type RecordMetadata, type TopicHandle } from '@millrace/nestjs';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { CabMap } from './cab-map.js';

@Controller('cabs')
export class CabsController {
  readonly #fixes: TopicHandle<GpsFix>;
  readonly #map: CabMap;

  constructor(@InjectProducer(gpsFixes) producer: TopicHandle<GpsFix>, map: CabMap) {
    this.#fixes = producer;
    this.#map = map;
  }

  /** A cab reports where it is. The cab is the key: its fixes stay in their order, in one partition. */
  @Post(':cabId/fixes')
  @HttpCode(202)
  report(@Param('cabId') cabId: string, @Body() { latitude, longitude }: Position): Promise<RecordMetadata> {
    const fix: GpsFix = { cabId, latitude, longitude, takenAt: Date.now() };
    return this.#fixes.send({ key: cabId, value: fix, timestamp: fix.takenAt });
  }

  @Get()
  all(): Promise<GpsFix[]> {
    return this.#map.all();
  }
}
