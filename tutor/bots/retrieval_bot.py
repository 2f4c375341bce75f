"""The second generation of chatbots, which retrieves prepared answers.

A network recognizes the intent of a message. The bot then chooses the answer whose question has the
highest cosine similarity to the message.
"""

import torch

from tutor.bots.bank import Bank, Likely, Near, RetrievalReply
from tutor.bots.intents import IntentTraining
from tutor.lm.language_model import LanguageModel

LIKELY = 0.1
"""The minimum probability of an intent whose answers the bot considers.

The bot always considers the answers of the most probable intent.
"""
THRESHOLD = 0.5
"""The minimum cosine similarity of an answer. Below it, the bot says "I don't know".

Measured with SmolLM2: of the 100 held-out phrases, 72 get an answer for the right intent, 3 get an
answer for a wrong intent, and 25 get no answer. Of 30 messages that the bank has no answer for, 26
get no answer.
"""
SHOWN = 5


class RetrievalBot:
    """A bot that replies with prepared answers from a bank.

    Its intent network has to be trained first, by calling `training.step`.
    """

    def __init__(self, model: LanguageModel, bank: Bank, seed: int) -> None:
        self._bank = bank
        self.training = IntentTraining(
            model,
            [intent.phrases for intent in bank.intents],
            [intent.held_out for intent in bank.intents],
            seed,
        )
        self._entries = [
            (number, question, entry.answer)
            for number, intent in enumerate(bank.intents)
            for entry in bank.answers[intent.name]
            for question in entry.asked
        ]
        self._questions = self.training.encoder.vectors([asked for _, asked, _ in self._entries])

    @torch.no_grad()
    def reply(self, message: str) -> RetrievalReply:
        """Return the reply to a message. The bot doesn't use earlier messages."""
        probabilities = self.training.probabilities([message])[0].tolist()
        order = sorted(range(len(probabilities)), key=lambda number: -probabilities[number])
        allowed = {number for number in order if probabilities[number] >= LIKELY} | {order[0]}
        vector = self.training.encoder.vectors([message])[0]
        cosines = (self._questions @ vector).tolist()
        near = sorted(
            (index for index, entry in enumerate(self._entries) if entry[0] in allowed),
            key=lambda index: -cosines[index],
        )
        return RetrievalReply(
            likely=tuple(
                Likely(self._name(number), probabilities[number]) for number in order[:SHOWN]
            ),
            nearest=tuple(self._near(index, cosines[index]) for index in near[:SHOWN]),
            threshold=THRESHOLD,
        )

    def _name(self, number: int) -> str:
        return self._bank.intents[number].name

    def _near(self, index: int, cosine: float) -> Near:
        number, question, answer = self._entries[index]
        return Near(self._name(number), question, answer, cosine)
