import { agoShort, fullTime } from '../format';
import { minute } from '../state/minute';

/** "5 min", and in full for whoever points at it or hears it. */
export function Ago({ time }: { time: string }) {
  return (
    <time dateTime={time} title={fullTime(time)}>
      {agoShort(time, minute.value)}
    </time>
  );
}
