/** The sources of an application with one handler, its main program and its test. `extension`: what its imports of each other end with. */
export function mailApplication(extension: '' | '.js'): Readonly<Record<string, string>> {
  return {
    'src/mails.ts': mails,
    'src/mails.spec.ts': spec.replace('./mails', `./mails${extension}`),
    'src/main.ts': main.replace('./mails', `./mails${extension}`),
  };
}

const mails = `import { DeadLetter, InjectQueue, Millrace, MillraceModule, QueueHandler, QueueSender } from '@millrace/nestjs';
import { Injectable, Module } from '@nestjs/common';

export interface Mail {
  to: string;
}

@Injectable()
export class Mailer {
  readonly sent: string[] = [];

  constructor(
    @InjectQueue('mails') private readonly mails: QueueSender<Mail>,
    readonly millrace: Millrace,
  ) {}

  async welcome(to: string): Promise<void> {
    await this.mails.send({ to });
  }

  @QueueHandler({ queue: 'mails' })
  send(mail: Mail): void {
    if (mail.to === '') throw new DeadLetter('it has no address');
    this.sent.push(mail.to);
    console.log('mail to ' + mail.to);
  }
}

const connection = { url: process.env.REDIS_URL ?? 'redis://localhost:6379' };

@Module({
  imports: [MillraceModule.forRoot({ connection, queues: [{ name: 'mails' }] })],
  providers: [Mailer],
})
export class MailsModule {}
`;

const spec = `import { OfflineHarness, RedisHarness } from '@millrace/testing/harness';
import { Test } from '@nestjs/testing';
import { Mailer, MailsModule } from './mails';

const application = () => Test.createTestingModule({ imports: [MailsModule] });

describe('Mailer', () => {
  it('gives up a mail without an address, without Redis', async () => {
    const harness = await OfflineHarness.start(application());
    const { outcome } = await harness.handle('Mailer.send', { to: '' });
    await harness.stop();
    expect(outcome.kind).toBe('given-up');
  });

  it('sends a mail, through a real Redis', async () => {
    const harness = await RedisHarness.start(application());
    const mailer = harness.application.get(Mailer);
    await mailer.welcome('ada@example.org');
    await harness.waitUntilIdle();
    await harness.stop();
    expect(mailer.sent).toEqual(['ada@example.org']);
  });
});
`;

const main = `import { NestFactory } from '@nestjs/core';
import { Mailer, MailsModule } from './mails';

async function bootstrap() {
  const app = await NestFactory.createApplicationContext(MailsModule, { logger: false });
  app.enableShutdownHooks();
  await app.get(Mailer).welcome('ada@example.org');
}
void bootstrap();
`;

/** A file that uses every entry of the packages that an application imports. */
export const usesEveryEntry = `import { type MessageContext, Millrace, QueueSender } from '@millrace/nestjs';
import { MillraceServer, millraceTransport } from '@millrace/nestjs/transport';
import { startRedis } from '@millrace/testing';
import { OfflineHarness } from '@millrace/testing/harness';

export async function use(m: Millrace, mails: QueueSender<{ to: string }>, c: MessageContext, h: OfflineHarness) {
  const queues: readonly string[] = (await mails.send({ to: 'ada' })).queues;
  // @ts-expect-error an address is a string
  await mails.send({ to: 1 });
  return [m.name, queues, c.messageId, h.nowMs, MillraceServer, millraceTransport, startRedis];
}
`;
