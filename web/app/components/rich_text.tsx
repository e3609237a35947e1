// The words of a post, with addresses, #tags and @names as links. Never HTML: text is only text.
import { splitMarks, type TextPiece } from '../format';

export function RichText({ text }: { text: string }) {
  return (
    <div class="text rich" dir="auto">
      {splitMarks(text).map((piece, index) => (
        <Piece key={index} piece={piece} />
      ))}
    </div>
  );
}

function Piece({ piece: { kind, text } }: { piece: TextPiece }) {
  if (kind === 'tag')
    return <a href={`/tags/${encodeURIComponent(text.slice(1).toLowerCase())}`}>{text}</a>;
  if (kind === 'mention') return <a href={`/u/${text.slice(1).toLowerCase()}`}>{text}</a>;
  if (kind === 'link')
    return (
      <a href={text} target="_blank" rel="noopener noreferrer">
        {text.replace(/^https?:\/\//, '')}
      </a>
    );
  return <>{text}</>;
}
