//! Words that say nothing about what a question is about.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Folded words of Russian, Kazakh and English, sorted for nobody: the list is short. The Russian and English parts follow Snowball's lists.
const WORDS: &str = "
и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от меня еще нет о из ему теперь
когда даже ну ли если уже или ни быть был него до вас нибудь вам ведь там потом себя ничего ей может они тут где есть надо ней для мы тебя
их чем была сам чтоб без чего раз тоже себе под будет ж тогда кто этот того потому этого какой какая какое какие каким какую ним здесь этом
почти мой тем чтобы нее сейчас были куда зачем всех никогда можно при об другой хоть после над больше тот через эти нас про всего них много
разве эту моя этой перед иногда лучше чуть том нельзя такой им более всегда конечно всю между это эта сколько нужно почему откуда который
которая которое которые бывает делать сделать скажи подскажи подскажите пожалуйста либо
спасибо благодарю привет здравствуйте здравствуй добрый доброе утро вечер ок окей ага угу понял поняла понятно ясно хорошо ладно это
очень просто тоже вообще вроде вот щас сейчас теперь буду дай дайте
the a an of to in on at by for from with and or not no is are was were be been do does did how what which who whom where when why can could
should would will may might must i you he she it we they me him her us them my your his its our their this that these those there here if
thanks thank hello hi hey ok okay yes yeah please tell then than as so but about into over under again up down out off please
және мен пен бен да де та те ма ме ба бе па пе не бұл сол осы ол мен сен біз сіз олар қалай қандай қайда қашан қанша неге кім немесе бірақ
егер үшін туралы бар жоқ керек болады бола ғой деп дейін кейін тұр рахмет сәлем сәлеметсіз иә ия жақсы түсіндім
";

/// Whether a folded word is a stop word.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split_whitespace().collect());
    SET.contains(word)
}
