// The words of a message, with addresses as links. Never HTML: the text is only ever text.
import { splitLinks } from '../format';

export function MessageText({ text, tabIndex }: { text: string; tabIndex?: number }) {
  return (
    <span class="text">
      {splitLinks(text).map((piece, index) =>
        piece.url ? (
          <a
            key={index}
            href={piece.url}
            target="_blank"
            rel="noopener noreferrer"
            tabIndex={tabIndex}
          >
            {piece.text}
          </a>
        ) : (
          piece.text
        ),
      )}
    </span>
  );
}
